import { useInfiniteQuery } from "@tanstack/react-query";
import { Brain, Search } from "lucide-react";
import { useDeferredValue, useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { memoriesQuery } from "@/lib/queries/knowledge";
import { useCan } from "@/lib/rights";

import { DeleteMemoriesDialog } from "./delete-memories-dialog";
import { MemoryRow } from "./memory-row";

/** What the crew of a workflow remembers from its runs. */
export function MemoryTab({ workflow }: { workflow: Workflow }) {
  const [text, setText] = useState("");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [deletion, setDeletion] = useState<"selected" | "all" | null>(null);
  const canDelete = useCan("workflows:write");
  const query = useDeferredValue(text.trim());
  const list = useInfiniteQuery(memoriesQuery(workflow.id, query));
  const memories = list.data?.pages.flatMap((page) => page.memories) ?? [];
  if (list.isPending && query === "") return <SkeletonRows />;
  if (list.isError && memories.length === 0) {
    return <ErrorPanel error={list.error} onRetry={() => list.refetch()} />;
  }
  if (memories.length === 0 && query === "")
    return <NoMemories isOn={workflow.definition.memory} />;
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <MemorySearch text={text} onText={setText} />
        <span role="status" className="text-ink-soft">
          {pluralize(list.data?.pages[0]?.total ?? 0, "memory", "memories")}
        </span>
        {canDelete && (
          <div className="ml-auto flex gap-2">
            {selected.size > 0 && (
              <Button variant="danger" onClick={() => setDeletion("selected")}>
                Delete {selected.size} selected
              </Button>
            )}
            <Button onClick={() => setDeletion("all")}>Delete all…</Button>
          </div>
        )}
      </div>
      {memories.length === 0 ? (
        <p className="py-6 text-center text-ink-soft">No memory contains “{query}”.</p>
      ) : (
        <ul aria-label="Memories" className="divide-y divide-line rounded-lg border bg-surface">
          {memories.map((memory) => (
            <MemoryRow
              key={memory.id}
              memory={memory}
              isSelected={selected.has(memory.id)}
              onToggle={canDelete ? () => toggle(memory.id) : undefined}
            />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          Older memories
        </LoadMore>
      )}
      <DeleteMemoriesDialog
        workflowId={workflow.id}
        what={deletion}
        ids={[...selected]}
        onClose={() => setDeletion(null)}
        onDeleted={() => setSelected(new Set())}
      />
    </div>
  );
}

function MemorySearch({ text, onText }: { text: string; onText: (text: string) => void }) {
  return (
    <div role="search" className="relative w-full max-w-sm max-sm:max-w-none">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
      />
      <Input
        type="search"
        aria-label="Search memories"
        placeholder="Search memories"
        maxLength={200}
        className="pl-8"
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
    </div>
  );
}

function NoMemories({ isOn }: { isOn: boolean }) {
  return (
    <EmptyState icon={Brain} title={isOn ? "No memories yet" : "Memory is off"}>
      {isOn ? (
        "What the crew remembers from its runs appears here."
      ) : (
        <>
          With <code>memory: true</code> in the document, the crew remembers facts from its runs and
          recalls them in later ones.
        </>
      )}
    </EmptyState>
  );
}
