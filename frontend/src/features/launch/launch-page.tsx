import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Skeleton } from "@/components/ui/skeleton";
import { Alert } from "@/components/ui/alert";
import type { Run, Workflow, WorkflowDefinition } from "@/lib/api/types";
import { runQuery } from "@/lib/queries/runs";
import { versionQuery } from "@/lib/queries/versions";
import { workflowQuery } from "@/lib/queries/workflows";

import { findRemovedInputs } from "./input-values";
import { LaunchForm } from "./launch-form";

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
  const open = (runId: string) => void navigate({ to: "/runs/$runId", params: { runId } });
  return (
    <>
      {earlierRunError !== null && (
        <Alert tone="warn" title="The inputs of the earlier run could not be loaded">
          The form shows the default values instead.
        </Alert>
      )}
      {earlierRun && <InputsSource run={earlierRun} definition={definition} />}
      <LaunchForm
        workflowId={workflow.id}
        version={version}
        definition={definition}
        given={earlierRun?.inputs}
        onStarted={open}
      />
    </>
  );
}

function InputsSource({ run, definition }: { run: Run; definition: WorkflowDefinition }) {
  const removed = findRemovedInputs(definition.inputs ?? [], run.inputs);
  return (
    <p className="text-ink-soft">
      Inputs copied from{" "}
      <Link to="/runs/$runId" params={{ runId: run.id }} className="text-accent underline">
        an earlier run
      </Link>
      .{removed.length > 0 && ` No longer in this version: ${removed.join(", ")}.`}
    </p>
  );
}

function LaunchSkeleton() {
  return (
    <div role="status" className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <span className="sr-only">Loading…</span>
      <Skeleton className="h-72" />
      <Skeleton className="h-40" />
    </div>
  );
}
