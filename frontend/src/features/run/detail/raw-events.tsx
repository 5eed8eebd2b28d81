import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { JsonView } from "@/components/json-view/json-view";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { runKeys } from "@/lib/queries/runs";

import { fetchRunEvent } from "../store/run-event-source";
import type { Span } from "../store/span";

/** The start and end events of a span, as returned by the API. */
export function RawEvents({ runId, span }: { runId: string; span: Span }) {
  const known = [span.startSeq, span.endSeq].filter((seq): seq is number => Boolean(seq));
  const seqs = [...new Set(known)];
  const { data, error, refetch } = useQuery({
    queryKey: [...runKeys.detail(runId), "events", ...seqs],
    queryFn: ({ signal }) => Promise.all(seqs.map((seq) => fetchRunEvent(runId, seq, signal))),
    staleTime: Infinity,
  });
  if (seqs.length === 0)
    return <p className="text-ink-faint">No events are stored for this step.</p>;
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={4} className="p-0" />;
  return (
    <div className="grid gap-1">
      <header className="flex items-center justify-between text-xs text-ink-faint">
        {data.length === 1 ? "1 event" : `${data.length} events`}
        <CopyButton text={() => JSON.stringify(data, null, 2)} label="Copy events" />
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
