import { useNow } from "@/hooks/use-now";
import { formatTimeAgo, formatDateTime } from "@/lib/format";

/** `3 minutes ago`, kept true; the full time on hover. */
export function TimeAgo({ at }: { at: string }) {
  const now = useNow(30_000);
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {formatTimeAgo(at, now)}
    </time>
  );
}
