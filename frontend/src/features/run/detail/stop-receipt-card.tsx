import { CircleCheck, CircleStop, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import type { StopReceipt } from "@/lib/api/types";
import { formatDuration, pluralize } from "@/lib/format";

/** What a stop did, at the provider's side too. */
export function ReceiptCard({ receipt }: { receipt: StopReceipt }) {
  const took = Date.parse(receipt.stoppedAt) - Date.parse(receipt.requestedAt);
  const abandoned = receipt.abandoned ?? [];
  return (
    <section aria-label="Stop receipt" className="rounded-md border">
      <p className="flex items-center gap-2 border-b px-3 py-2 font-medium">
        <CircleStop aria-hidden className="size-4 text-ink-soft" />
        {abandoned.length > 0
          ? `Stopped after ${formatDuration(took)}; some work was abandoned`
          : `Everything ended within ${formatDuration(took)}`}
      </p>
      <dl className="grid gap-y-1.5 px-3 py-2">
        <Line name="Model calls cut off">{receipt.llmCallsInFlight}</Line>
        <Line name="Model calls begun after the stop">
          <span className="inline-flex items-center gap-1">
            {receipt.llmCallsAfterStop === 0 ? (
              <CircleCheck aria-hidden className="size-3.5 text-ok" />
            ) : (
              <TriangleAlert aria-hidden className="size-3.5 text-warn" />
            )}
            {receipt.llmCallsAfterStop === 0 ? "none (0)" : receipt.llmCallsAfterStop}
          </span>
        </Line>
        <Line name="Tasks completed">{receipt.tasksCompleted}</Line>
        <Line name="Tasks not done">{receipt.tasksSkipped}</Line>
      </dl>
      {abandoned.length > 0 && (
        <div className="border-t px-3 py-2">
          <p className="text-ink-soft">
            {pluralize(abandoned.length, "thing")} could not be interrupted. It ends by itself, and
            its result is dropped:
          </p>
          <ul className="mt-1 list-disc pl-5">
            {abandoned.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-ink-soft">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
