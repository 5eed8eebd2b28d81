import { Badge } from "@/components/ui/badge";
import type { RunConnection } from "@/lib/api/types";
import { formatDateTime, formatDuration } from "@/lib/format";

import { formatFileSize } from "@/lib/format-file-size";

import { describeHost, describePurpose, RESULTS } from "./connection-labels";

const HEADS = ["Ended", "Host", "For", "Agent", "Sent", "Received", "Duration", "Result"];

/** Every request of a run, in the order in which they ended. */
export function ConnectionTable({ connections }: { connections: readonly RunConnection[] }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <section aria-label="Requests" tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left whitespace-nowrap">
        <thead className="text-xs text-ink-soft">
          <tr className="border-b">
            {HEADS.map((head) => (
              <th key={head} scope="col" className="px-4 py-2 font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">
          {connections.map((one) => (
            <tr key={`${one.attempt} ${one.number}`}>
              <td className="px-4 py-1.5">{formatDateTime(one.at)}</td>
              <td className="max-w-72 truncate px-4 py-1.5 font-mono" title={describeHost(one)}>
                {describeHost(one)}
              </td>
              <td className="px-4 py-1.5">
                {describePurpose(one)}
                {one.requests > 1 && ` (${one.requests} requests)`}
              </td>
              <td className="px-4 py-1.5">{one.agent ?? "–"}</td>
              <td className="px-4 py-1.5 tabular-nums">{formatFileSize(one.sentBytes)}</td>
              <td className="px-4 py-1.5 tabular-nums">{formatFileSize(one.receivedBytes)}</td>
              <td className="px-4 py-1.5 tabular-nums">{formatDuration(one.milliseconds)}</td>
              <td className="px-4 py-1.5">
                <Badge tone={RESULTS[one.result].tone}>{RESULTS[one.result].label}</Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
