import {
  Circle,
  CircleCheck,
  CircleMinus,
  CircleX,
  LoaderCircle,
  type LucideIcon,
} from "lucide-react";

import type { ConnectionReport } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatDuration, pluralize } from "@/lib/format";

import {
  outcomeLabel,
  connectionSteps,
  type ConnectionStep,
  type StepState,
} from "./connection-outcome";

const STATES: Record<StepState, { Icon: LucideIcon; word: string; className: string }> = {
  passed: { Icon: CircleCheck, word: "passed", className: "text-ok" },
  failed: { Icon: CircleX, word: "failed", className: "text-err" },
  waiting: { Icon: LoaderCircle, word: "running", className: "text-live" },
  "not-reached": { Icon: Circle, word: "not reached", className: "text-ink-faint" },
  "not-used": { Icon: CircleMinus, word: "not used, plain HTTP", className: "text-ink-faint" },
};

interface Props {
  /** Null while the test is running. */
  report: ConnectionReport | null;
  plainHttp: boolean;
  className?: string;
}

/** Steps of a connection test with the provider's message. */
export function ConnectionSteps({ report, plainHttp, className }: Props) {
  return (
    <div
      role={report && !report.ok ? "alert" : "status"}
      className={cn("rounded-md border bg-sunken p-3", className)}
    >
      <Outcome report={report} />
      <ol className="mt-2 grid gap-x-4 gap-y-1 sm:grid-cols-2">
        {connectionSteps(report, plainHttp).map((step) => (
          <StepRow key={step.stage} step={step} />
        ))}
      </ol>
      {report && <p className="mt-2 break-words text-ink-soft">{report.message}</p>}
    </div>
  );
}

function Outcome({ report }: { report: ConnectionReport | null }) {
  if (!report) return <p className="font-medium">Testing… This takes up to 10 seconds.</p>;
  return (
    <p className="flex flex-wrap items-baseline justify-between gap-x-3">
      <span className={cn("font-semibold", report.ok ? "text-ok" : "text-err")}>
        {outcomeLabel(report)}
        {report.ok && report.models.length > 0 && ` · ${pluralize(report.models.length, "model")}`}
      </span>
      <span className="text-xs text-ink-faint">{formatDuration(report.latencyMs)}</span>
    </p>
  );
}

function StepRow({ step }: { step: ConnectionStep }) {
  const { Icon, word, className } = STATES[step.state];
  const spins = step.state === "waiting";
  return (
    <li className="flex items-center gap-2">
      <Icon aria-hidden className={cn("size-4 shrink-0", className, spins && "animate-spin")} />
      <span className={step.state.startsWith("not") ? "text-ink-faint" : undefined}>
        {step.label}
        {step.state === "not-used" && " (plain HTTP)"}
      </span>
      <span className="sr-only">{word}</span>
    </li>
  );
}
