import { useQueries, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useState } from "react";

import { RunStatus } from "@/components/run-status";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Popover } from "@/components/ui/popover";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api, body } from "@/lib/api/client";
import type { Run } from "@/lib/api/types";
import { previewText } from "@/lib/format";
import { runKeys, runQuery } from "@/lib/queries/runs";

import type { RunSource } from "./build-run-request";
import { formatInputValue, type RunInputs } from "./input-values";

const MAX_RUNS = 6;

interface Props {
  source: RunSource;
  onPick: (run: Run) => void;
}

/** Fills the form with the inputs of an earlier run. */
export function PreviousInputs({ source, onPick }: Props) {
  const [open, setOpen] = useState(false);
  const pick = (run: Run) => {
    setOpen(false);
    onPick(run);
  };
  return (
    <Popover
      label="Previous inputs"
      open={open}
      onOpenChange={setOpen}
      className="w-[min(26rem,calc(100vw-2rem))] p-1"
      trigger={
        <Button size="sm" variant="ghost">
          <History aria-hidden />
          Previous inputs
        </Button>
      }
    >
      <PreviousRuns source={source} onPick={pick} />
    </Popover>
  );
}

function PreviousRuns({ source, onPick }: Props) {
  const newest = useQuery({
    queryKey: [...runKeys.lists(), "newest-of", source],
    queryFn: async ({ signal }) => {
      const params = { query: { ...source, limit: MAX_RUNS } };
      return body(await api.GET("/api/v1/runs", { params, signal })).runs;
    },
  });
  const runs = useQueries({ queries: (newest.data ?? []).map((run) => runQuery(run.id)) });
  if (newest.isPending || runs.some((one) => one.isPending)) return <SkeletonRows rows={3} />;
  const found = runs.flatMap((one) => (one.data ? [one.data] : []));
  if (found.length === 0) {
    return <p className="px-3 py-4 text-ink-soft">No earlier runs.</p>;
  }
  return (
    <ul className="grid max-h-80 overflow-y-auto">
      {removeDuplicateInputs(found).map((run) => (
        <li key={run.id}>
          <button
            type="button"
            onClick={() => onPick(run)}
            className="grid w-full gap-0.5 rounded-sm px-3 py-2 text-left hover:bg-hover"
          >
            <span className="truncate">{summarizeInputs(run.inputs)}</span>
            <span className="flex items-center gap-2 text-xs text-ink-faint">
              <RunStatus state={run.status} /> <TimeAgo at={run.createdAt} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The newest run of each set of inputs. */
function removeDuplicateInputs(runs: Run[]): Run[] {
  const seen = new Set<string>();
  return runs.filter((run) => {
    const text = JSON.stringify(run.inputs);
    return seen.has(text) ? false : seen.add(text);
  });
}

function summarizeInputs(inputs: RunInputs): string {
  const parts = Object.entries(inputs).map(
    ([name, value]) => `${name}: ${previewText(formatInputValue(value), 60)}`,
  );
  return parts.join(" · ") || "No inputs";
}
