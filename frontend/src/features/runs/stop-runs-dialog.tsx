import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, CircleDashed, CircleX, Hourglass, LoaderCircle } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { RunSummary } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { runKeys } from "@/lib/queries/runs";

import { stopRuns, type StopMode, type StopResult } from "./stop-runs";

const KINDS = {
  pending: { Icon: CircleDashed, className: "text-ink-faint", label: "Pending" },
  requested: { Icon: LoaderCircle, className: "animate-spin text-live", label: "Stopping…" },
  stopped: { Icon: CircleCheck, className: "text-ok", label: "" },
  stopping: { Icon: Hourglass, className: "text-warn", label: "" },
  finished: { Icon: CircleCheck, className: "text-idle", label: "" },
  failed: { Icon: CircleX, className: "text-err", label: "" },
};

const MODES: { value: StopMode; label: string; hint: string }[] = [
  {
    value: "after-step",
    label: "After the current step",
    hint: "The current model call finishes and is billed. No further step starts.",
  },
  { value: "now", label: "Now", hint: "Model calls are cancelled and their responses are lost." },
];

/** Confirms, stops the runs and shows the result of each. */
export function StopRunsDialog({ runs, onClose }: { runs: RunSummary[]; onClose: () => void }) {
  const client = useQueryClient();
  const [mode, setMode] = useState<StopMode>("after-step");
  const [results, setResults] = useState<Record<string, StopResult>>({});
  const stop = useMutation({
    mutationFn: () =>
      stopRuns(runs, mode, (id, result) => setResults((all) => ({ ...all, [id]: result }))),
    onSettled: () => client.invalidateQueries({ queryKey: runKeys.all }),
  });
  const done = Object.values(results).filter((one) => one.kind !== "requested").length;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      closable={!stop.isPending}
      title={`Stop ${pluralize(runs.length, "run")}?`}
      description="Stopped runs keep the output of finished tasks and can be resumed."
      footer={
        stop.isSuccess ? (
          <Button variant="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            <Button disabled={stop.isPending} onClick={onClose}>
              Cancel
            </Button>
            <Button variant="danger" busy={stop.isPending} onClick={() => stop.mutate()}>
              Stop {pluralize(runs.length, "run")}
            </Button>
          </>
        )
      }
    >
      {stop.isIdle ? (
        <ModeChoice mode={mode} onChange={setMode} />
      ) : (
        <>
          <p role="status" className="mb-2 text-ink-soft">
            {done} of {runs.length} processed
          </p>
          <progress
            aria-label="Processed runs"
            className="mb-3 h-1.5 w-full accent-(--accent)"
            max={runs.length}
            value={done}
          />
        </>
      )}
      <ul className="divide-y rounded-md border">
        {runs.map((run) => (
          <RunStopResult
            key={run.id}
            run={run}
            result={results[run.id]}
            hasStarted={!stop.isIdle}
          />
        ))}
      </ul>
    </Dialog>
  );
}

function ModeChoice({ mode, onChange }: { mode: StopMode; onChange: (mode: StopMode) => void }) {
  return (
    <fieldset className="mb-4 grid gap-2">
      <legend className="sr-only">When</legend>
      {MODES.map(({ value, label, hint }) => (
        <div key={value} className="flex gap-2">
          <input
            id={`stop-${value}`}
            type="radio"
            name="mode"
            aria-describedby={`stop-${value}-hint`}
            className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            checked={mode === value}
            onChange={() => onChange(value)}
          />
          <div>
            <label htmlFor={`stop-${value}`} className="font-medium">
              {label}
            </label>
            <p id={`stop-${value}-hint`} className="text-xs text-ink-faint">
              {hint}
            </p>
          </div>
        </div>
      ))}
    </fieldset>
  );
}

function RunStopResult({
  run,
  result = { kind: "pending" },
  hasStarted,
}: {
  run: RunSummary;
  result?: StopResult;
  hasStarted: boolean;
}) {
  const { Icon, className, label } = KINDS[result.kind];
  return (
    <li className="flex items-start gap-2 px-3 py-2">
      {hasStarted && <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${className}`} />}
      <div className="min-w-0">
        <p className="truncate font-medium">{run.workflowName}</p>
        <p className="text-xs break-words text-ink-faint">
          {hasStarted ? ("message" in result ? result.message : label) : run.id}
        </p>
      </div>
    </li>
  );
}
