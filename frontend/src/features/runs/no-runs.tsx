import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Play, SearchX } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { useDemo } from "@/hooks/use-demo";
import { workflowQuery } from "@/lib/queries/workflows";

import { isFiltered, noRunsMessage, type RunsSearch } from "./run-filters";

/** Empty state: there are no runs yet, or none match the filters. */
export function NoRuns({ search, onClear }: { search: RunsSearch; onClear: () => void }) {
  return (
    <div className="rounded-lg border bg-surface">
      {isFiltered(search) ? <NoMatches search={search} onClear={onClear} /> : <NoRunsYet />}
    </div>
  );
}

function NoMatches({ search, onClear }: { search: RunsSearch; onClear: () => void }) {
  const { workflow } = search;
  const { data } = useQuery({ ...workflowQuery(workflow ?? ""), enabled: workflow !== undefined });
  return (
    <EmptyState
      icon={SearchX}
      title={noRunsMessage(search, data?.name)}
      actions={<Button onClick={onClear}>Clear filters</Button>}
    />
  );
}

function NoRunsYet() {
  const { start, availability } = useDemo();
  return (
    <EmptyState
      icon={Play}
      title="No runs yet"
      actions={
        <>
          {availability?.available !== false && (
            <Allowed scope="workflows:write">
              <Button
                variant="primary"
                busy={start.isPending}
                disabled={!availability}
                onClick={() => start.mutate()}
              >
                Run the demo
              </Button>
            </Allowed>
          )}
          <Button asChild variant={availability?.available === false ? "primary" : "ghost"}>
            <Link to="/workflows">Choose a workflow</Link>
          </Button>
        </>
      }
    >
      A run is one execution of a workflow. Start one to follow its steps here.
      {start.error && <ErrorPanel error={start.error} className="mt-3 text-left" />}
    </EmptyState>
  );
}
