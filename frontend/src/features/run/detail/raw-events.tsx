import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { JsonView } from "@/components/json-view/json-view";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { runKeys } from "@/lib/queries/runs";

import { readEvent } from "../store/run-event-source";
import type { Span } from "../store/span";

/** The events that told of a step, as the API gives them. */
export function RawEvents({ runId, span }: { runId: string; span: Span }) {
  const numbers = [span.startSeq, span.endSeq].filter((seq): seq is number => Boolean(seq));
  const wanted = [...new Set(numbers)];
  const { data, error, refetch } = useQuery({
    queryKey: [...runKeys.detail(runId), "events", ...wanted],
    queryFn: ({ signal }) => Promise.all(wanted.map((seq) => readEvent(runId, seq, signal))),
    staleTime: Infinity,
  });
  if (wanted.length === 0) return <p className="text-ink-faint">No event has told of it yet.</p>;
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={4} className="p-0" />;
  return (
    <div className="grid gap-1">
      <header className="flex items-center justify-between text-xs text-ink-faint">
        {data.length === 1 ? "1 event" : `${data.length} events`}
        <CopyButton text={() => JSON.stringify(data, null, 2)} label="Copy the events" />
      </header>
      {data.map((event, index) => (
        <JsonView
          key={index}
          value={event}
          open={3}
          className="overflow-x-auto rounded-md border bg-sunken px-3 py-2"
        />
      ))}
    </div>
  );
}
