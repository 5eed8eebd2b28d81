import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FileCode, SquarePen } from "lucide-react";

import { JsonView } from "@/components/json-view/json-view";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Skeleton } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { versionQuery } from "@/lib/queries/versions";

/** The workflow definition the run uses; later changes of the workflow do not affect it. */
export function DefinitionCard({ run }: { run: Run }) {
  const { workflowId, workflowVersion, projectId, projectVersion } = run;
  const isSaved = workflowId !== null && workflowVersion !== null;
  const version = useQuery({
    ...versionQuery(workflowId ?? "", workflowVersion ?? 0),
    enabled: isSaved,
    retry: false,
  });
  const yaml = version.data?.yaml;
  if (projectId !== null && projectVersion !== null)
    return <ProjectVersion projectId={projectId} version={projectVersion} />;
  return (
    <Card
      title={describeDefinition(run)}
      actions={
        <div className="flex items-center gap-1">
          {yaml !== undefined && <CopyButton text={yaml} label="Copy YAML" />}
          {isSaved && !version.isError && (
            <Button size="sm" asChild>
              <Link to="/workflows/$workflowId" params={{ workflowId }}>
                <SquarePen aria-hidden />
                Open in editor
              </Link>
            </Button>
          )}
        </div>
      }
    >
      {isSaved && version.isPending && <Skeleton className="m-4 h-64" />}
      {yaml !== undefined && <YamlText text={yaml} />}
      {(!isSaved || version.isError) && <DefinitionTree run={run} isMissing={isSaved} />}
    </Card>
  );
}

function describeDefinition({ workflowVersion }: Run): string {
  return workflowVersion === null ? "Workflow" : `Workflow version ${workflowVersion}`;
}

function YamlText({ text }: { text: string }) {
  return (
    <pre
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
      tabIndex={0}
      role="group"
      aria-label="Workflow as YAML"
      className="max-h-[32rem] overflow-auto px-4 py-3 font-mono text-[13px] leading-5 focus-visible:-outline-offset-2"
    >
      {text}
    </pre>
  );
}

/** The code that the run executes. */
function ProjectVersion({ projectId, version }: { projectId: string; version: number }) {
  const params = { projectId };
  return (
    <Card
      title={`Project version ${version}`}
      actions={
        <Button size="sm" asChild>
          <Link to="/projects/$projectId" params={params} search={{ tab: "files", version }}>
            <FileCode aria-hidden />
            Open its files
          </Link>
        </Button>
      }
    >
      <p className="p-4 text-ink-soft">
        This run executes the code of a project. Its tasks appear as the code starts them.
      </p>
    </Card>
  );
}

/** The definition as a tree, for a workflow without saved YAML. */
function DefinitionTree({ run, isMissing }: { run: Run; isMissing: boolean }) {
  return (
    <div className="grid gap-2 px-4 py-3">
      <p className="text-xs text-ink-faint">
        {run.external
          ? "This run is executed elsewhere. Its agents and tasks appear as they are reported."
          : isMissing
            ? "The saved version could not be loaded; the workflow may have been deleted. This is the definition the run uses."
            : "This run was started from an unsaved workflow. This is the definition it uses."}
      </p>
      <JsonView value={run.definition} open={1} />
    </div>
  );
}
