import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { RunStatus } from "@/components/run-status";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { RunSummary } from "@/lib/api/types";
import { runsQuery } from "@/lib/queries/runs";

interface Props {
  name: "a" | "b";
  /** The run on the other side, which is excluded. */
  other?: string;
  onPick: (runId: string) => void;
  onCancel?: () => void;
}

/** Selects a run from the newest ones, with a search field. */
export function RunPicker({ name, other, onPick, onCancel }: Props) {
  const [text, setText] = useState("");
  const q = useDeferredValue(text.trim());
  const query = useInfiniteQuery({
    ...runsQuery({ limit: 20, ...(q ? { q } : {}) }),
    placeholderData: keepPreviousData,
  });
  const runs = (query.data?.pages[0]?.runs ?? []).filter((run) => run.id !== other);
  const letter = name.toUpperCase();
  return (
    <section aria-label={`Run ${letter}`} className="min-w-0 rounded-lg border bg-surface">
      <div className="flex items-end gap-2 border-b p-3">
        <SearchField letter={letter} text={text} onChange={setText} />
        {onCancel && (
          <Button variant="ghost" onClick={onCancel}>
            Cancel
          </Button>
        )}
      </div>
      {query.isPending && <SkeletonRows rows={4} className="p-3" />}
      {query.isError && <ErrorPanel error={query.error} className="m-3" />}
      {query.data && runs.length === 0 && (
        <p className="p-4 text-ink-soft">{q ? `No run matches “${q}”.` : "No other runs yet."}</p>
      )}
      <ul className="max-h-80 divide-y overflow-y-auto">
        {runs.map((run) => (
          <RunOption key={run.id} run={run} onPick={onPick} />
        ))}
      </ul>
    </section>
  );
}

function SearchField({
  letter,
  text,
  onChange,
}: {
  letter: string;
  text: string;
  onChange: (text: string) => void;
}) {
  const id = useId();
  return (
    <div className="grid flex-1 gap-1">
      <label htmlFor={id} className="font-medium">
        Choose run {letter}
      </label>
      <Input
        id={id}
        type="search"
        placeholder="Name, id, input or error"
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

function RunOption({ run, onPick }: { run: RunSummary; onPick: (runId: string) => void }) {
  return (
    <li>
      <button
        type="button"
        onClick={() => onPick(run.id)}
        className="flex w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover focus-visible:-outline-offset-2"
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">
            {run.workflowName}
            {run.workflowVersion !== null && (
              <span className="ml-1.5 text-xs font-normal text-ink-faint">
                v{run.workflowVersion}
              </span>
            )}
          </span>
          <span className="block truncate text-xs text-ink-faint">
            <TimeAgo at={run.createdAt} /> · <span className="font-mono">{run.id}</span>
          </span>
        </span>
        <RunStatus state={run.status} />
      </button>
    </li>
  );
}
