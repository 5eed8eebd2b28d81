import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { SquarePen } from "lucide-react";

import { JsonView } from "@/components/json-view/json-view";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Skeleton } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { versionQuery } from "@/lib/queries/versions";

/** The definition that the run is pinned to: later saves of the workflow do not touch it. */
export function DefinitionCard({ run }: { run: Run }) {
  const { workflowId, workflowVersion } = run;
  const saved = workflowId !== null && workflowVersion !== null;
  const version = useQuery({
    ...versionQuery(workflowId ?? "", workflowVersion ?? 0),
    enabled: saved,
    retry: false,
  });
  const yaml = version.data?.yaml;
  return (
    <Card
      title={saved ? `Workflow, version ${workflowVersion}` : "Workflow"}
      actions={
        <div className="flex items-center gap-1">
          {yaml !== undefined && <CopyButton text={yaml} label="Copy the YAML" />}
          {saved && !version.isError && (
            <Button size="sm" asChild>
              <Link to="/workflows/$workflowId" params={{ workflowId }}>
                <SquarePen aria-hidden />
                Open in the editor
              </Link>
            </Button>
          )}
        </div>
      }
    >
      {saved && version.isPending && <Skeleton className="m-4 h-64" />}
      {yaml !== undefined && <Yaml text={yaml} />}
      {(!saved || version.isError) && <Pinned run={run} deleted={saved} />}
    </Card>
  );
}

function Yaml({ text }: { text: string }) {
  return (
    <pre
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls must take focus
      tabIndex={0}
      role="group"
      aria-label="Workflow as YAML"
      className="max-h-[32rem] overflow-auto px-4 py-3 font-mono text-[13px] leading-5 focus-visible:-outline-offset-2"
    >
      {text}
    </pre>
  );
}

/** Without a saved text there is still the definition itself. */
function Pinned({ run, deleted }: { run: Run; deleted: boolean }) {
  return (
    <div className="grid gap-2 px-4 py-3">
      <p className="text-xs text-ink-faint">
        {deleted
          ? "The saved text cannot be read; the workflow may have been deleted. This is what the run goes by."
          : "This run was started with a workflow that is not saved. This is what it goes by."}
      </p>
      <JsonView value={run.definition} open={1} />
    </div>
  );
}
