import { ArrowLeft, Footprints, X } from "lucide-react";

import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/empty-state";
import { IconButton } from "@/components/ui/icon-button";
import type { Run } from "@/lib/api/types";

import { useSpan } from "../store/use-span";
import type { RunStore } from "../store/run-store";

import { RunDigest } from "./run-summary-panel";
import { SpanDetail } from "./span-detail";

interface Props {
  run: Run;
  store: RunStore;
  picked: string | null;
  onPick: (id: string | null) => void;
  /** On a narrow page: back to the list. */
  onBack?: () => void;
}

/** The right side of the run page: the picked step, or the run as a whole. */
export function DetailPane({ run, store, picked, onPick, onBack }: Props) {
  const span = useSpan(store, picked);
  return (
    <section aria-label="Details" className="flex h-full min-h-0 flex-col">
      {onBack && (
        <div className="shrink-0 border-b p-1">
          <Button variant="ghost" size="sm" onClick={onBack}>
            <ArrowLeft aria-hidden />
            Back to the timeline
          </Button>
        </div>
      )}
      {picked === null && <RunDigest run={run} store={store} onPick={onPick} />}
      {picked !== null && span && (
        <SpanDetail
          key={span.id}
          run={run}
          store={store}
          span={span}
          close={
            !onBack && (
              <IconButton size="icon-sm" label="Close the step" onClick={() => onPick(null)}>
                <X aria-hidden />
              </IconButton>
            )
          }
        />
      )}
      {picked !== null && !span && (
        <EmptyState
          icon={Footprints}
          title="This step is not here"
          actions={<Button onClick={() => onPick(null)}>Show the run</Button>}
        >
          It may not have been read yet, or it is one of the oldest of a very long run.
        </EmptyState>
      )}
    </section>
  );
}
