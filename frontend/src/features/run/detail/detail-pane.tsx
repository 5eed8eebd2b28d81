import { ArrowLeft, Footprints, X } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import type { Run } from "@/lib/api/types";

import type { RunStore } from "../store/run-store";
import { useSpan } from "../store/use-span";

import { RunSummaryPanel } from "./run-summary-panel";
import { SpanDetail } from "./span-detail";

interface Props {
  run: Run;
  store: RunStore;
  selected: string | null;
  onSelect: (id: string | null) => void;
  /** On narrow pages: returns to the timeline. */
  onBack?: () => void;
}

/** The right side of the run page: the selected span, or a summary of the run. */
export function DetailPane({ run, store, selected, onSelect, onBack }: Props) {
  const span = useSpan(store, selected);
  return (
    <section aria-label="Details" className="flex h-full min-h-0 flex-col">
      {onBack && (
        <div className="shrink-0 border-b p-1">
          <Button variant="ghost" size="sm" onClick={onBack}>
            <ArrowLeft aria-hidden />
            Back to timeline
          </Button>
        </div>
      )}
      {selected === null && <RunSummaryPanel run={run} store={store} onSelect={onSelect} />}
      {selected !== null && span && (
        <SpanDetail
          key={span.id}
          run={run}
          store={store}
          span={span}
          close={
            !onBack && (
              <IconButton size="icon-sm" label="Close details" onClick={() => onSelect(null)}>
                <X aria-hidden />
              </IconButton>
            )
          }
        />
      )}
      {selected !== null && !span && (
        <EmptyState
          icon={Footprints}
          title="Step not found"
          actions={<Button onClick={() => onSelect(null)}>Show run summary</Button>}
        >
          It may not be loaded yet, or it is one of the oldest steps of a very long run, which are
          not shown.
        </EmptyState>
      )}
    </section>
  );
}
