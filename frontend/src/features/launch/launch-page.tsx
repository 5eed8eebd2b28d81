import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import type { Run, Workflow, WorkflowDefinition } from "@/lib/api/types";
import { runQuery } from "@/lib/queries/runs";
import { versionQuery } from "@/lib/queries/versions";
import { workflowQuery } from "@/lib/queries/workflows";

import { FilesCard } from "./files-card";
import { InputsSource } from "./inputs-source";
import { LaunchForm } from "./launch-form";
import { LaunchSkeleton } from "./launch-skeleton";
import { usesFiles } from "./run-files";

const route = getRouteApi("/shell/workflows/$workflowId/run");

/** The page that starts a run; `?from=` fills it with the inputs of an earlier run. */
export function LaunchPage() {
  const { workflowId } = route.useParams();
  const { from, version } = route.useSearch();
  const workflow = useQuery(workflowQuery(workflowId));
  const selectedVersion = useQuery({
    ...versionQuery(workflowId, version ?? 0),
    enabled: Boolean(version),
  });
  const earlierRun = useQuery({ ...runQuery(from ?? ""), enabled: Boolean(from) });
  const error = workflow.error ?? selectedVersion.error;
  const isLoading =
    !workflow.data || (version && !selectedVersion.data) || (from && earlierRun.isPending);
  return (
    <Page
      title={workflow.data ? `Run ${workflow.data.name}` : "Run"}
      description={
        <>
          {workflow.data && (
            <>
              Version {version ?? workflow.data.version}
              {(!version || version === workflow.data.version) && " (newest)"} ·{" "}
            </>
          )}
          <Link
            to="/workflows/$workflowId"
            params={{ workflowId }}
            className="underline-offset-4 hover:underline"
          >
            Open in the editor
          </Link>
        </>
      }
    >
      {error ? (
        <ErrorPanel error={error} onRetry={() => workflow.refetch()} />
      ) : isLoading || !workflow.data ? (
        <LaunchSkeleton />
      ) : (
        <LaunchContent
          key={`${selectedVersion.data?.number} ${from}`}
          workflow={workflow.data}
          version={selectedVersion.data?.number ?? workflow.data.version}
          definition={(selectedVersion.data ?? workflow.data).definition}
          earlierRun={earlierRun.data}
          earlierRunError={earlierRun.error}
        />
      )}
    </Page>
  );
}

interface Props {
  workflow: Workflow;
  version: number;
  definition: WorkflowDefinition;
  earlierRun?: Run;
  earlierRunError: unknown;
}

function LaunchContent({ workflow, version, definition, earlierRun, earlierRunError }: Props) {
  const navigate = useNavigate();
  const [files, setFiles] = useState<File[]>([]);
  const open = (runId: string) => void navigate({ to: "/runs/$runId", params: { runId } });
  return (
    <>
      <InputsSource run={earlierRun} error={earlierRunError} inputs={definition.inputs ?? []} />
      <LaunchForm
        source={{ workflowId: workflow.id }}
        version={version}
        inputs={definition.inputs ?? []}
        workflowBudget={definition.budget}
        given={earlierRun?.inputs}
        files={files}
        settings={usesFiles(definition) && <FilesCard files={files} onFiles={setFiles} />}
        onStarted={open}
      />
    </>
  );
}
