import { Link } from "@tanstack/react-router";

import { Card } from "@/components/ui/card";
import { pluralize } from "@/lib/format";

import { formatPercent, type RankedWorkflow } from "./insights";
import type { Period } from "./insights-query";

interface Props {
  title: string;
  /** Describes the ranked value. */
  about: string;
  none: string;
  ranks: readonly RankedWorkflow[];
  period: Period;
}

/** Ranked workflows, each with a bar relative to the first. */
export function Ranking({ title, about, none, ranks, period }: Props) {
  const maximum = ranks[0]?.value ?? 1;
  return (
    <Card title={title} actions={<span className="text-xs text-ink-faint">{about}</span>}>
      {ranks.length === 0 ? (
        <p className="grid min-h-24 place-content-center px-6 text-center text-ink-soft sm:min-h-55">
          {none}
        </p>
      ) : (
        <ol className="min-h-24 py-1 sm:min-h-55">
          {ranks.map((rank) => (
            <RankRow
              key={rank.workflow.workflowId ?? rank.workflow.name}
              rank={rank}
              share={rank.value / maximum}
              period={period}
            />
          ))}
        </ol>
      )}
    </Card>
  );
}

function RankRow({ rank, share, period }: { rank: RankedWorkflow; share: number; period: Period }) {
  const { workflow } = rank;
  const search = workflow.workflowId
    ? { workflow: workflow.workflowId, since: period }
    : { q: workflow.name, since: period };
  return (
    <li>
      <Link
        to="/runs"
        search={search}
        className="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1 px-4 py-1.5 hover:bg-hover focus-visible:-outline-offset-2"
      >
        <span className="truncate">
          <span className="font-medium">{workflow.name}</span>{" "}
          <span className="text-xs text-ink-faint">
            {pluralize(workflow.runs, "run")}
            {workflow.successRate !== null && ` · ${formatPercent(workflow.successRate)} success`}
          </span>
        </span>
        <span>{rank.label}</span>
        <span aria-hidden className="col-span-2 h-1 rounded-full bg-hover">
          <span
            className="block h-1 rounded-full bg-accent/60"
            style={{ width: `${Math.max(1, share * 100)}%` }}
          />
        </span>
      </Link>
    </li>
  );
}
