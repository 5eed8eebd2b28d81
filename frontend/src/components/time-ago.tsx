import { useNow } from "@/hooks/use-now";
import { formatTimeAgo, formatDateTime } from "@/lib/format";

/** Relative time such as `3 minutes ago`, updated as time passes; the full time is in the tooltip. */
export function TimeAgo({ at }: { at: string }) {
  const now = useNow(30_000);
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {formatTimeAgo(at, now)}
    </time>
  );
}
