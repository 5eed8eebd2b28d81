import { Link } from "@tanstack/react-router";
import { BellOff, CircleDollarSign, MessageCircleQuestion } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";

import type { Need } from "./use-attention";

interface Props {
  needs: Need[];
  error: Error | null;
  onFollow: () => void;
}

/** The list behind the bell; each line leads to the run that waits. */
export function AttentionPanel({ needs, error, onFollow }: Props) {
  return (
    <>
      <h2 className="border-b px-4 py-2.5 font-semibold">Needs you</h2>
      {error && <ErrorPanel error={error} className="m-2" />}
      {needs.length === 0 && !error && <NothingNeeded />}
      <ul className="grid p-1">
        {needs.map((need) => (
          <li key={need.id}>
            <Row need={need} onFollow={onFollow} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Row({ need, onFollow }: { need: Need; onFollow: () => void }) {
  const Icon = need.kind === "approval" ? MessageCircleQuestion : CircleDollarSign;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: need.runId }}
      onClick={onFollow}
      className="flex gap-3 rounded-md px-3 py-2 hover:bg-hover focus-visible:-outline-offset-2"
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{need.workflowName}</span>
        <span className="block break-words text-ink-soft">
          {need.kind === "approval" ? (
            <>
              Task <span className="font-medium">{need.task}</span> asks for your answer
            </>
          ) : (
            "The budget is spent: raise it or stop the run"
          )}
        </span>
      </span>
      <span className="shrink-0 text-xs text-ink-faint">
        <TimeAgo at={need.since} />
      </span>
    </Link>
  );
}

function NothingNeeded() {
  return (
    <div className="grid justify-items-center gap-1 px-6 py-8 text-center">
      <BellOff aria-hidden className="mb-1 size-6 text-ink-faint" />
      <p className="font-medium">Nothing waits for you</p>
      <p className="text-ink-soft">Questions of agents and spent budgets appear here.</p>
    </div>
  );
}
