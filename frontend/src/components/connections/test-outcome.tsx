import { CircleCheck, CircleX, LoaderCircle } from "lucide-react";

import { formatDuration } from "@/lib/format";

import type { TestReport } from "./connection-requests";

const STAGES: Record<TestReport["stage"], string> = {
  dns: "Host not found",
  connect: "Connection failed",
  tls: "TLS failed",
  auth: "Credentials rejected",
  answer: "Unexpected answer",
  done: "Connected",
};

/** The result of a connection's test; null while it runs. */
export function TestOutcome({ report }: { report: TestReport | null }) {
  if (!report) {
    return (
      <p role="status" className="flex items-center gap-2 text-ink-soft">
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
        Testing… This takes up to 10 seconds.
      </p>
    );
  }
  const Icon = report.ok ? CircleCheck : CircleX;
  return (
    <div role={report.ok ? "status" : "alert"} className="rounded-md border bg-sunken p-3">
      <p className="flex flex-wrap items-center gap-2">
        <Icon aria-hidden className={`size-4 ${report.ok ? "text-ok" : "text-err"}`} />
        <span className="font-semibold">{STAGES[report.stage]}</span>
        <span className="ml-auto text-xs text-ink-faint">{formatDuration(report.latencyMs)}</span>
      </p>
      <p className="mt-1 break-words text-ink-soft">{report.message}</p>
    </div>
  );
}
