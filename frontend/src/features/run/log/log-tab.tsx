import { useMemo } from "react";
import { useStore } from "zustand";

import { EmptyState } from "@/components/empty-state";
import { LogText } from "@/components/project/log-text";
import { CopyButton } from "@/components/ui/copy-button";
import { hasEnded } from "@/lib/run-state";
import { ScrollText } from "lucide-react";

import type { RunStore } from "../store/run-store";

import { joinPrintedLines } from "./join-printed-lines";

/** Everything that the code of a project printed, in order. */
export function LogTab({ store }: { store: RunStore }) {
  const status = useStore(store.state, (state) => state.status);
  const lastSeq = useStore(store.state, (state) => state.lastSeq);
  // The spans are mutable for React: the number of the last event tells when they changed.
  // oxlint-disable-next-line react/exhaustive-deps
  const text = useMemo(() => joinPrintedLines(store.spans()), [store, lastSeq]);
  if (!text) {
    return (
      <EmptyState icon={ScrollText} title="Nothing printed">
        {hasEnded(status)
          ? "The code of the project has printed nothing."
          : "What the code of the project prints appears here."}
      </EmptyState>
    );
  }
  return (
    <section aria-label="Printed output" className="flex min-h-0 flex-1 flex-col gap-2 p-4 sm:p-6">
      <div className="flex items-center justify-between gap-2">
        <p className="text-ink-soft">What the code of the project printed. Secrets are masked.</p>
        <CopyButton text={text} label="Copy the log" />
      </div>
      <LogText
        label="Log of the run"
        text={text}
        follow={!hasEnded(status)}
        className="max-h-none min-h-40 flex-1"
      />
    </section>
  );
}
