import { Link } from "@tanstack/react-router";
import { GitCompare, Square, X } from "lucide-react";
import { lazy, Suspense, useState } from "react";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import type { RunSummary } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

const StopRunsDialog = lazy(async () => ({
  default: (await import("./stop-runs-dialog")).StopRunsDialog,
}));

/** Actions for the selected runs. */
export function SelectionBar({
  selected,
  onClear,
}: {
  selected: RunSummary[];
  onClear: () => void;
}) {
  const [stopping, setStopping] = useState<RunSummary[] | null>(null);
  const [a, b] = selected;
  const active = selected.filter((run) => !run.external && !hasEnded(run.status));
  return (
    <div
      role="region"
      aria-label="Selected runs"
      className="sticky bottom-3 z-20 mx-auto flex w-fit max-w-full flex-wrap items-center gap-2 rounded-lg border bg-raised px-3 py-2 shadow-lg"
    >
      <p role="status" className="font-medium">
        {selected.length} selected
      </p>
      {a && b && selected.length === 2 && (
        <Button asChild>
          <Link to="/runs/compare" search={{ a: b.id, b: a.id }}>
            <GitCompare aria-hidden />
            Compare
          </Link>
        </Button>
      )}
      <Allowed scope="runs:write">
        <Button variant="danger" disabled={active.length === 0} onClick={() => setStopping(active)}>
          <Square aria-hidden />
          {active.length > 0 ? `Stop ${active.length}…` : "No active runs"}
        </Button>
      </Allowed>
      <Button variant="ghost" onClick={onClear}>
        <X aria-hidden />
        Clear
      </Button>
      {stopping && (
        <Suspense>
          <StopRunsDialog runs={stopping} onClose={() => setStopping(null)} />
        </Suspense>
      )}
    </div>
  );
}
