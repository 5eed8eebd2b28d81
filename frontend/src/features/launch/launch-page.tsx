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

import { foreignInputs } from "./input-values";
import { LaunchForm } from "./launch-form";

const route = getRouteApi("/shell/workflows/$workflowId/run");

/** Everything that is asked before a run starts; filled from an earlier run by `?from=`. */
export function LaunchPage() {
  const { workflowId } = route.useParams();
  const { from, version } = route.useSearch();
  const workflow = useQuery(workflowQuery(workflowId));
  const old = useQuery({ ...versionQuery(workflowId, version ?? 0), enabled: Boolean(version) });
  const earlier = useQuery({ ...runQuery(from ?? ""), enabled: Boolean(from) });
  const error = workflow.error ?? old.error;
  const waiting = !workflow.data || (version && !old.data) || (from && earlier.isPending);
  return (
    <Page
      title={workflow.data ? `Run ${workflow.data.name}` : "Run"}
      description={
        <>
          {workflow.data && (
            <>
              Version {version ?? workflow.data.version}
              {(!version || version === workflow.data.version) && ", the newest"} ·{" "}
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
      ) : waiting || !workflow.data ? (
        <LaunchSkeleton />
      ) : (
        <Launch
          key={`${old.data?.number} ${from}`}
          workflow={workflow.data}
          version={old.data?.number ?? workflow.data.version}
          definition={(old.data ?? workflow.data).definition}
          earlier={earlier.data}
          problem={earlier.error}
        />
      )}
    </Page>
  );
}

interface Props {
  workflow: Workflow;
  version: number;
  definition: WorkflowDefinition;
  earlier?: Run;
  /** Why the earlier run's inputs could not be fetched. */
  problem: unknown;
}

function Launch({ workflow, version, definition, earlier, problem }: Props) {
  const navigate = useNavigate();
  const open = (runId: string) => void navigate({ to: "/runs/$runId", params: { runId } });
  return (
    <>
      {problem !== null && (
        <Alert tone="warn" title="The earlier run’s inputs could not be fetched">
          The form shows the defaults instead.
        </Alert>
      )}
      {earlier && <FilledFrom earlier={earlier} definition={definition} />}
      <LaunchForm
        workflowId={workflow.id}
        version={version}
        definition={definition}
        given={earlier?.inputs}
        onStarted={open}
      />
    </>
  );
}

function FilledFrom({ earlier, definition }: { earlier: Run; definition: WorkflowDefinition }) {
  const gone = foreignInputs(definition.inputs ?? [], earlier.inputs);
  return (
    <p className="text-ink-soft">
      Filled with the inputs of{" "}
      <Link to="/runs/$runId" params={{ runId: earlier.id }} className="text-accent underline">
        an earlier run
      </Link>
      .{gone.length > 0 && ` This version no longer asks for ${gone.join(", ")}.`}
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
