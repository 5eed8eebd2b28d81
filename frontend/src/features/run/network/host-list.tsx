import { Badge } from "@/components/ui/badge";
import type { HostTraffic } from "@/lib/api/types";
import { formatDuration, pluralize } from "@/lib/format";

import { formatFileSize } from "@/lib/format-file-size";

import { describeHost, describePurpose, RESULTS } from "./connection-labels";

/** The hosts of a run, refused ones first, each with a bar for its share of the bytes. */
export function HostList({ hosts }: { hosts: readonly HostTraffic[] }) {
  const most = Math.max(1, ...hosts.map(bytesOf));
  return (
    <ul aria-label="Hosts" className="divide-y">
      {hosts.map((host) => (
        <li
          key={[host.host, host.port, host.purpose, host.name, host.result].join(" ")}
          className="grid gap-1.5 px-4 py-3"
        >
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="min-w-0 font-mono break-all">{describeHost(host)}</span>
            <span className="text-ink-soft">{describePurpose(host)}</span>
            {host.result !== "allowed" && (
              <Badge tone={RESULTS[host.result].tone}>{RESULTS[host.result].label}</Badge>
            )}
          </div>
          {host.reason && <p className="break-words">{host.reason}</p>}
          <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-idle-soft">
            <div
              className="h-full rounded-full bg-accent"
              style={{ width: `${(100 * bytesOf(host)) / most}%` }}
            />
          </div>
          <p className="text-xs text-ink-soft">
            {pluralize(host.requests, "request")} · {formatFileSize(host.sentBytes)} sent ·{" "}
            {formatFileSize(host.receivedBytes)} received · {formatDuration(host.milliseconds)}
          </p>
        </li>
      ))}
    </ul>
  );
}

function bytesOf(host: HostTraffic): number {
  return host.sentBytes + host.receivedBytes;
}
