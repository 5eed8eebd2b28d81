import { Circle, CircleCheck, CircleX, LoaderCircle, type LucideIcon } from "lucide-react";

import { TimeAgo } from "@/components/time-ago";
import type { McpReport } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/format";

const STAGES: [McpReport["stage"], string][] = [
  ["dns", "Name resolution"],
  ["connect", "Connection"],
  ["tls", "TLS"],
  ["auth", "Authentication"],
  ["initialize", "Initialization"],
  ["tools", "List of tools"],
];

type StepState = "passed" | "failed" | "running" | "not reached";

const STATES: Record<StepState, { Icon: LucideIcon; className: string }> = {
  passed: { Icon: CircleCheck, className: "text-ok" },
  failed: { Icon: CircleX, className: "text-err" },
  running: { Icon: LoaderCircle, className: "animate-spin text-live" },
  "not reached": { Icon: Circle, className: "text-ink-faint" },
};

interface Props {
  /** Null while the connection is being made. */
  report: McpReport | null;
  plainHttp: boolean;
}

/** The stages of the last connection, with the server's message. */
export function ConnectionStages({ report, plainHttp }: Props) {
  const stages = plainHttp ? STAGES.filter(([stage]) => stage !== "tls") : STAGES;
  const reached = stages.findIndex(([stage]) => stage === report?.stage);
  return (
    <div role={report && !report.ok ? "alert" : "status"} className="p-4">
      <ol className="grid gap-x-4 gap-y-1 sm:grid-cols-3">
        {stages.map(([stage, label], index) => (
          <Stage key={stage} label={label} state={stateOf(report, index, reached)} />
        ))}
      </ol>
      <p className="mt-3 break-words">
        {report ? report.message : "Connecting… This takes up to 25 seconds."}
      </p>
      {report && (
        <p className="text-xs text-ink-faint">
          {formatDuration(report.latencyMs)} · <TimeAgo at={report.at} />
        </p>
      )}
    </div>
  );
}

function Stage({ label, state }: { label: string; state: StepState }) {
  const { Icon, className } = STATES[state];
  return (
    <li className="flex items-center gap-2">
      <Icon aria-hidden className={cn("size-4 shrink-0", className)} />
      <span className={state === "not reached" ? "text-ink-faint" : undefined}>{label}</span>
      <span className="sr-only">{state}</span>
    </li>
  );
}

function stateOf(report: McpReport | null, index: number, reached: number): StepState {
  if (!report) return index === 0 ? "running" : "not reached";
  if (report.ok || index < reached) return "passed";
  return index === reached ? "failed" : "not reached";
}
