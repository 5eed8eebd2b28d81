import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { JsonView } from "@/components/json-view/json-view";
import { Button } from "@/components/ui/button";
import type { Run, RunEvent } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";

import { useRunStore } from "../store/use-span";
import { readEvent } from "../store/run-event-source";
import type { RunStore } from "../store/run-store";
import { LONGEST_TEXT, type Span } from "../store/span";

import { FailureCard } from "./failure-card";
import { TextBlock } from "./text-block";

interface Props {
  run: Run;
  store: RunStore;
  span: Span;
}

/** What a step brought: its words as they are written, or why there are none. */
export function SpanOutput({ run, store, span }: Props) {
  const failure = useRunStore(store, (now) => now.failure);
  const live = span.state === "running" && span.kind === "llm";
  const wrong = span.error !== "";
  const said = span.failure ?? (span.state === "failed" ? failure : null);
  return (
    <div className="grid gap-3">
      {wrong && (
        <FailureCard
          run={run}
          failure={said}
          message={span.error}
          mended={span.state !== "failed"}
          taskKey={span.taskKey}
          agent={span.agent}
        />
      )}
      {span.gap && live && (
        <p className="text-xs text-ink-faint">
          Some of the text was written while this page was not connected. The whole text appears
          when the call ends.
        </p>
      )}
      {(span.output || live) && (
        <TextBlock title="Output" text={span.output} live={live}>
          {span.cut && <WholeText runId={run.id} span={span} />}
        </TextBlock>
      )}
      {span.kind === "task" && span.json != null && (
        <section className="grid gap-1">
          <h3 className="text-xs font-medium text-ink-faint">Structured output</h3>
          <JsonView value={span.json} className="rounded-md border bg-sunken px-3 py-2" />
        </section>
      )}
      {!wrong && !span.output && !live && <p className="text-ink-faint">{absent(span)}</p>}
    </div>
  );
}

function absent(span: Span): string {
  if (span.state === "pending") return "This task has not begun.";
  if (span.state === "skipped") return "This task was not done.";
  if (span.state === "stopped") return "This was cut off before it brought anything.";
  if (span.state === "running") return "Nothing yet. The output appears when this step ends.";
  if (span.toolCalls.length > 0) return `Asked for ${span.toolCalls.join(", ")}.`;
  return "This step has no output.";
}

/** A very long text is not kept; the whole is asked for when somebody wants to read it. */
function WholeText({ runId, span }: { runId: string; span: Span }) {
  const [wanted, setWanted] = useState(false);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: [...runKeys.detail(runId), "event", span.endSeq],
    queryFn: ({ signal }) => readEvent(runId, span.endSeq ?? 1, signal),
    enabled: wanted && span.endSeq !== null,
    staleTime: Infinity,
  });
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (data) return <TextBlock title="Whole output" text={textOf(data)} />;
  return (
    <p className="flex flex-wrap items-center gap-2 text-xs text-ink-faint">
      Only the first {LONGEST_TEXT / 1000} kB are shown.
      <Button size="sm" busy={isFetching} onClick={() => setWanted(true)}>
        Show the whole text
      </Button>
    </p>
  );
}

function textOf(event: RunEvent): string {
  const found = event.data as { raw?: string; text?: string; output?: string };
  return found.raw ?? found.text ?? found.output ?? "";
}
