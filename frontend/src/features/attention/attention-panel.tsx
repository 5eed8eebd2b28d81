import { Link } from "@tanstack/react-router";
import { BellOff, CircleDollarSign, MessageCircleQuestion } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";

import { useItemsOfOthers, type AttentionItem } from "./use-attention-items";

interface Props {
  items: AttentionItem[];
  error: Error | null;
  onFollow: () => void;
}

/** Runs that wait for a person; each row links to its run. */
export function AttentionPanel({ items, error, onFollow }: Props) {
  const ofOthers = useItemsOfOthers();
  return (
    <>
      <h2 className="border-b px-4 py-2.5 font-semibold">Needs attention</h2>
      {error && <ErrorPanel error={error} className="m-2" />}
      {items.length === 0 && !error && <EmptyList />}
      <ItemList items={items} onFollow={onFollow} />
      {ofOthers.length > 0 && (
        <>
          <h3 className="border-t px-4 pt-2.5 text-xs text-ink-soft">Addressed to others</h3>
          <ItemList items={ofOthers} onFollow={onFollow} />
        </>
      )}
    </>
  );
}

function ItemList({ items, onFollow }: Pick<Props, "items" | "onFollow">) {
  return (
    <ul className="grid p-1">
      {items.map((item) => (
        <li key={item.id}>
          <Row item={item} onFollow={onFollow} />
        </li>
      ))}
    </ul>
  );
}

function Row({ item, onFollow }: { item: AttentionItem; onFollow: () => void }) {
  const Icon = item.kind === "budget" ? CircleDollarSign : MessageCircleQuestion;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: item.runId }}
      onClick={onFollow}
      className="flex gap-3 rounded-md px-3 py-2 hover:bg-hover focus-visible:-outline-offset-2"
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{item.workflowName}</span>
        <span className="block break-words text-ink-soft">
          <Reason item={item} />
        </span>
      </span>
      <span className="shrink-0 text-xs text-ink-faint">
        <TimeAgo at={item.since} />
      </span>
    </Link>
  );
}

function Reason({ item }: { item: AttentionItem }) {
  if (item.kind === "budget") return "Budget exceeded: raise it or stop the run";
  if (item.kind === "question") return "The project asks a question";
  if (item.kind === "call") return "An agent asks before it calls a tool";
  return (
    <>
      Approval request from task <span className="font-medium">{item.task}</span>
    </>
  );
}

function EmptyList() {
  return (
    <div className="grid justify-items-center gap-1 px-6 py-8 text-center">
      <BellOff aria-hidden className="mb-1 size-6 text-ink-faint" />
      <p className="font-medium">Nothing needs attention</p>
      <p className="text-ink-soft">Approval requests and exceeded budgets appear here.</p>
    </div>
  );
}
