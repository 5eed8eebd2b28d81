import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useStore } from "zustand";

import { ErrorPanel } from "@/components/error-panel";
import { JsonView } from "@/components/json-view/json-view";
import { Button } from "@/components/ui/button";
import type { Run, RunEvent } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

import { fetchRunEvent } from "../store/run-event-source";
import type { RunStore } from "../store/run-store";
import { MAX_TEXT_LENGTH, type Span } from "../store/span";

import { FailureCard } from "./failure-card";
import { TextBlock } from "./text-block";

interface Props {
  run: Run;
  store: RunStore;
  span: Span;
}

/** The output of a span, streamed while it runs, or its error. */
export function SpanOutput({ run, store, span }: Props) {
  const failure = useStore(store.state, (state) => state.failure);
  const isStreaming = span.state === "running" && span.kind === "llm";
  const spanFailure = span.failure ?? (span.state === "failed" ? failure : null);
  return (
    <div className="grid gap-3">
      {span.error && (
        <FailureCard
          run={run}
          failure={spanFailure}
          message={span.error}
          isRecovered={span.state !== "failed"}
          taskKey={span.taskKey}
          agent={span.agent}
        />
      )}
      {span.hasGap && isStreaming && (
        <p className="text-xs text-ink-faint">
          Some of the text was streamed while the page was not connected. The full text appears when
          the call finishes.
        </p>
      )}
      {(span.output || isStreaming) && (
        <TextBlock title="Output" text={span.output} isStreaming={isStreaming}>
          {span.isTruncated && <FullText runId={run.id} span={span} />}
        </TextBlock>
      )}
      {span.kind === "task" && span.json != null && (
        <section className="grid gap-1">
          <h3 className="text-xs font-medium text-ink-faint">Structured output</h3>
          <JsonView value={span.json} className="rounded-md border bg-sunken px-3 py-2" />
        </section>
      )}
      {!span.error && !span.output && !isStreaming && (
        <p className="text-ink-faint">{missingOutputMessage(span)}</p>
      )}
    </div>
  );
}

function missingOutputMessage(span: Span): string {
  if (span.state === "pending") return "This task has not started.";
  if (span.state === "skipped") return "This task was skipped.";
  if (span.state === "stopped") return "Stopped before it produced any output.";
  if (span.state === "running") return "No output yet. It appears when this step finishes.";
  if (span.toolCalls.length > 0) return `Requested tools: ${span.toolCalls.join(", ")}.`;
  return "This step has no output.";
}

/** Fetches the full text of a truncated output on request. */
function FullText({ runId, span }: { runId: string; span: Span }) {
  const [isRequested, setRequested] = useState(false);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: [...runKeys.detail(runId), "event", span.endSeq],
    queryFn: ({ signal }) => fetchRunEvent(runId, span.endSeq ?? 1, signal),
    enabled: isRequested && span.endSeq !== null,
    staleTime: Infinity,
  });
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (data) return <TextBlock title="Full output" text={outputOf(data)} />;
  return (
    <p className="flex flex-wrap items-center gap-2 text-xs text-ink-faint">
      Only the first {MAX_TEXT_LENGTH / 1000} kB are shown.
      <Button size="sm" busy={isFetching} onClick={() => setRequested(true)}>
        Show full text
      </Button>
    </p>
  );
}

function outputOf(event: RunEvent): string {
  const data = event.data as { raw?: string; text?: string; output?: string };
  return data.raw ?? data.text ?? data.output ?? "";
}
