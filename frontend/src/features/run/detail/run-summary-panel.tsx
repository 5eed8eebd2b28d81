import { Link } from "@tanstack/react-router";

import { Markdown } from "@/components/markdown/markdown";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { useRunStore, useSpan } from "../store/use-span";
import type { RunStore } from "../store/run-store";
import { KindIcon, kindWord, StateIcon } from "../timeline/span-styles";
import { currentPath, deepestFailure } from "../timeline/timeline-rows";

import { FailureCard } from "./failure-card";
import { ReceiptCard } from "./stop-receipt-card";
import { TextBlock } from "./text-block";

interface Props {
  run: Run;
  store: RunStore;
  onPick: (id: string | null) => void;
}

/** The run as a whole: the step at hand while it works, its result when done, its error when failed. */
export function RunDigest({ run, store, onPick }: Props) {
  const status = useRunStore(store, (now) => now.status);
  return (
    <div
      role="region"
      aria-label="The run"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keys
      tabIndex={0}
      className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-3 focus-visible:-outline-offset-2"
    >
      <h2 className="font-semibold">{TITLES[status]}</h2>
      {status === "stopped" && <Receipt run={run} store={store} />}
      {(status === "failed" || status === "crashed") && (
        <Failed run={run} store={store} onPick={onPick} />
      )}
      {!hasEnded(status) && <AtHand store={store} run={run} onPick={onPick} />}
      {run.result && <Result run={run} />}
    </div>
  );
}

const TITLES = {
  queued: "Waiting for its turn",
  running: "At work now",
  waiting: "Waiting for a person",
  stopping: "Stopping",
  completed: "Result",
  failed: "What went wrong",
  stopped: "Stopped",
  crashed: "What went wrong",
} as const;

function Receipt({ run, store }: Pick<Props, "run" | "store">) {
  const told = useRunStore(store, (now) => now.receipt);
  const receipt = told ?? run.receipt;
  return receipt && <ReceiptCard receipt={receipt} />;
}

function Failed({ run, store, onPick }: Props) {
  const told = useRunStore(store, (now) => now.failure);
  useRunStore(store, (now) => now.structure);
  const failure = told ?? run.error;
  const cause = deepestFailure(store);
  if (!failure) return null;
  return (
    <>
      <FailureCard run={run} failure={failure} message={failure.message} />
      {cause && (
        <Button className="self-start justify-self-start" onClick={() => onPick(cause)}>
          Show the failed step
        </Button>
      )}
    </>
  );
}

/** The innermost step that is under way, with its words as they come. */
function AtHand({ run, store, onPick }: Props) {
  useRunStore(store, (now) => now.structure);
  const path = currentPath(store);
  const span = useSpan(store, path.at(-1));
  if (!span) return <p className="text-ink-soft">{run.queuedBecause ?? "No step is under way."}</p>;
  const above = path.slice(0, -1).flatMap((id) => store.getSpan(id)?.name ?? []);
  const live = span.state === "running" && span.kind === "llm";
  return (
    <section className="grid gap-2">
      <p className="text-ink-soft">{above.join(" › ")}</p>
      <p className="flex items-center gap-2">
        <KindIcon kind={span.kind} />
        <StateIcon state={span.state} />
        <span className="font-medium">
          {kindWord(span.kind)} {span.name}
        </span>
        <Button size="sm" variant="ghost" className="ml-auto" onClick={() => onPick(span.id)}>
          Details
        </Button>
      </p>
      {(live || span.output) && <TextBlock title="Output so far" text={span.output} live={live} />}
    </section>
  );
}

function Result({ run }: { run: Run }) {
  if (!run.result) return null;
  return (
    <section className="grid min-w-0 gap-2">
      <div className="flex items-center gap-2">
        <Button asChild size="sm">
          <Link to="/runs/$runId" params={{ runId: run.id }} search={{ view: "output" }}>
            Open as output
          </Link>
        </Button>
        <CopyButton text={run.result.raw} label="Copy the result" />
      </div>
      <Markdown text={run.result.raw} level={3} />
    </section>
  );
}
