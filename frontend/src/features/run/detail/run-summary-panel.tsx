import { Link } from "@tanstack/react-router";
import { useStore } from "zustand";

import { Markdown } from "@/components/markdown/markdown";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import type { RunProps } from "../run-props";
import { useSpan } from "../store/use-span";
import { SpanKindIcon, spanKindLabel, SpanStateIcon } from "../timeline/span-styles";
import { findCurrentPath, findRootCause } from "../timeline/timeline-rows";

import { FailureCard } from "./failure-card";
import { StopReceiptCard } from "./stop-receipt-card";
import { TextBlock } from "./text-block";

interface Props extends RunProps {
  onSelect: (id: string | null) => void;
}

/** Shown while no span is selected: the current step, the result, the error or the stop receipt. */
export function RunSummaryPanel({ run, store, onSelect }: Props) {
  const status = useStore(store.state, (state) => state.status);
  return (
    <div
      role="region"
      aria-label="Run summary"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
      tabIndex={0}
      className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-3 focus-visible:-outline-offset-2"
    >
      <h2 className="font-semibold">{TITLES[status]}</h2>
      {status === "stopped" && <StopReceipt run={run} store={store} />}
      {(status === "failed" || status === "crashed") && (
        <Failure run={run} store={store} onSelect={onSelect} />
      )}
      {!hasEnded(status) && <CurrentStep store={store} run={run} onSelect={onSelect} />}
      {run.result && <Result run={run} />}
    </div>
  );
}

const TITLES = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting",
  stopping: "Stopping",
  completed: "Result",
  failed: "What went wrong",
  stopped: "Stopped",
  crashed: "What went wrong",
} as const;

function StopReceipt({ run, store }: RunProps) {
  const liveReceipt = useStore(store.state, (state) => state.receipt);
  const receipt = liveReceipt ?? run.receipt;
  return receipt && <StopReceiptCard receipt={receipt} />;
}

function Failure({ run, store, onSelect }: Props) {
  const liveFailure = useStore(store.state, (state) => state.failure);
  useStore(store.state, (state) => state.structureVersion);
  const failure = liveFailure ?? run.error;
  const cause = findRootCause(store);
  if (!failure) return null;
  return (
    <>
      <FailureCard run={run} failure={failure} message={failure.message} />
      {cause && (
        <Button className="self-start justify-self-start" onClick={() => onSelect(cause)}>
          Show failed step
        </Button>
      )}
    </>
  );
}

/** The innermost step that is running, with its streamed output. */
function CurrentStep({ run, store, onSelect }: Props) {
  useStore(store.state, (state) => state.structureVersion);
  const path = findCurrentPath(store);
  const span = useSpan(store, path.at(-1));
  if (!span) return <p className="text-ink-soft">{run.queuedBecause ?? "No step is running."}</p>;
  const ancestors = path.slice(0, -1).flatMap((id) => store.getSpan(id)?.name ?? []);
  const isStreaming = span.state === "running" && span.kind === "llm";
  return (
    <section className="grid gap-2">
      <p className="text-ink-soft">{ancestors.join(" › ")}</p>
      <p className="flex items-center gap-2">
        <SpanKindIcon kind={span.kind} />
        <SpanStateIcon state={span.state} />
        <span className="font-medium">
          {spanKindLabel(span.kind)} {span.name}
        </span>
        <Button size="sm" variant="ghost" className="ml-auto" onClick={() => onSelect(span.id)}>
          Details
        </Button>
      </p>
      {(isStreaming || span.output) && (
        <TextBlock title="Output so far" text={span.output} isStreaming={isStreaming} />
      )}
    </section>
  );
}

function Result({ run }: { run: Run }) {
  if (!run.result) return null;
  return (
    <section className="grid min-w-0 gap-2">
      <div className="flex items-center gap-2">
        <Button asChild size="sm">
          <Link to="/runs/$runId" params={{ runId: run.id }} search={{ view: "output" }}>
            Open in Output
          </Link>
        </Button>
        <CopyButton text={run.result.raw} label="Copy result" />
      </div>
      <Markdown text={run.result.raw} level={3} />
    </section>
  );
}
