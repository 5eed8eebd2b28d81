import { CircleCheck, CircleStop, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import type { StopReceipt } from "@/lib/api/types";
import { formatDuration, pluralize } from "@/lib/format";

/** The receipt of a stop: how long it took and what happened to model calls and tasks. */
export function StopReceiptCard({ receipt }: { receipt: StopReceipt }) {
  const stopMs = Date.parse(receipt.stoppedAt) - Date.parse(receipt.requestedAt);
  const abandoned = receipt.abandoned ?? [];
  return (
    <section aria-label="Stop receipt" className="rounded-md border">
      <p className="flex items-center gap-2 border-b px-3 py-2 font-medium">
        <CircleStop aria-hidden className="size-4 text-ink-soft" />
        {abandoned.length > 0
          ? `Stopped after ${formatDuration(stopMs)}; some operations could not be cancelled`
          : `Stopped within ${formatDuration(stopMs)}`}
      </p>
      <dl className="grid gap-y-1.5 px-3 py-2">
        <Row name="Model calls cancelled">{receipt.llmCallsInFlight}</Row>
        <Row name="Model calls started after the stop">
          <span className="inline-flex items-center gap-1">
            {receipt.llmCallsAfterStop === 0 ? (
              <CircleCheck aria-hidden className="size-3.5 text-ok" />
            ) : (
              <TriangleAlert aria-hidden className="size-3.5 text-warn" />
            )}
            {receipt.llmCallsAfterStop}
          </span>
        </Row>
        <Row name="Tasks completed">{receipt.tasksCompleted}</Row>
        <Row name="Tasks interrupted">{receipt.tasksInterrupted ?? 0}</Row>
        <Row name="Tasks skipped">{receipt.tasksSkipped}</Row>
      </dl>
      {abandoned.length > 0 && (
        <div className="border-t px-3 py-2">
          <p className="text-ink-soft">
            {pluralize(abandoned.length, "operation")} could not be interrupted. Results that still
            arrive are discarded:
          </p>
          <ul className="mt-1 list-disc pl-5">
            {abandoned.map((operation) => (
              <li key={operation}>{operation}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-ink-soft">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
