import { Card } from "@/components/ui/card";
import type { Run } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { limitsOf, type Limit } from "./budget-limits";

/** The limits that the run and its workflow set, and how much of each is used. */
export function BudgetCard({ run }: { run: Run }) {
  const own = limitsOf(run);
  const workflows = limitsOf({ ...run, budget: run.definition.budget ?? {} });
  return (
    <Card title="Budget">
      {own.length + workflows.length === 0 && (
        <p className="p-4 text-ink-soft">No limits of its own; the server&apos;s limits hold.</p>
      )}
      <Limits title="Of this run" limits={own} />
      <Limits title="Of the workflow, until raised on the run" limits={workflows} />
    </Card>
  );
}

function Limits({ title, limits }: { title: string; limits: Limit[] }) {
  if (limits.length === 0) return null;
  return (
    <div className="grid gap-2 px-4 py-3">
      <h3 className="text-xs text-ink-soft">{title}</h3>
      <ul className="grid gap-3">
        {limits.map((limit) => (
          <LimitBar key={limit.name} limit={limit} />
        ))}
      </ul>
    </div>
  );
}

function LimitBar({ limit }: { limit: Limit }) {
  const share = limit.used === null ? 0 : Math.min(1, limit.used / limit.allowed);
  const tone = share >= 1 ? "bg-err" : share >= 0.8 ? "bg-warn" : "bg-accent";
  return (
    <li className="grid gap-1">
      <p className="flex justify-between gap-2">
        <span>{limit.label}</span>
        <span>{limit.words}</span>
      </p>
      <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-hover">
        <div className={cn("h-full rounded-full", tone)} style={{ width: `${share * 100}%` }} />
      </div>
    </li>
  );
}
