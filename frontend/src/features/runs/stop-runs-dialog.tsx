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
  waiting: { Icon: CircleDashed, className: "text-ink-faint", words: "Not asked yet" },
  asking: { Icon: LoaderCircle, className: "animate-spin text-live", words: "Stopping…" },
  stopped: { Icon: CircleCheck, className: "text-ok", words: "" },
  stopping: { Icon: Hourglass, className: "text-warn", words: "" },
  over: { Icon: CircleCheck, className: "text-idle", words: "" },
  failed: { Icon: CircleX, className: "text-err", words: "" },
};

const MODES: { value: StopMode; label: string; hint: string }[] = [
  {
    value: "after-step",
    label: "After the current step",
    hint: "The model call at hand ends and is paid for; nothing after it begins.",
  },
  { value: "now", label: "Now", hint: "Model calls are closed at once; their answers are lost." },
];

/** Asks, stops, and shows what became of each run. */
export function StopRunsDialog({ runs, onClose }: { runs: RunSummary[]; onClose: () => void }) {
  const client = useQueryClient();
  const [mode, setMode] = useState<StopMode>("after-step");
  const [outcomes, setOutcomes] = useState<Record<string, StopResult>>({});
  const stop = useMutation({
    mutationFn: () =>
      stopRuns(runs, mode, (id, outcome) => setOutcomes((all) => ({ ...all, [id]: outcome }))),
    onSettled: () => client.invalidateQueries({ queryKey: runKeys.all }),
  });
  const done = Object.values(outcomes).filter((one) => one.kind !== "asking").length;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      closable={!stop.isPending}
      title={`Stop ${pluralize(runs.length, "run")}?`}
      description="A stopped run keeps what its finished tasks brought, and can be resumed."
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
            {done} of {runs.length} answered
          </p>
          <progress
            aria-label="Runs asked to stop"
            className="mb-3 h-1.5 w-full accent-(--accent)"
            max={runs.length}
            value={done}
          />
        </>
      )}
      <ul className="divide-y rounded-md border">
        {runs.map((run) => (
          <RunStopResult key={run.id} run={run} outcome={outcomes[run.id]} begun={!stop.isIdle} />
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
  outcome = { kind: "waiting" },
  begun,
}: {
  run: RunSummary;
  outcome?: StopResult;
  begun: boolean;
}) {
  const { Icon, className, words } = KINDS[outcome.kind];
  return (
    <li className="flex items-start gap-2 px-3 py-2">
      {begun && <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${className}`} />}
      <div className="min-w-0">
        <p className="truncate font-medium">{run.workflowName}</p>
        <p className="text-xs break-words text-ink-faint">
          {begun ? ("words" in outcome ? outcome.words : words) : run.id}
        </p>
      </div>
    </li>
  );
}
