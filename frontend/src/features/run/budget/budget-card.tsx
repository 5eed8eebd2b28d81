import { Card } from "@/components/ui/card";
import type { Run } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { listLimits, type BudgetLimit } from "./budget-limits";

/** The limits of the run and of its workflow, with the usage of each. */
export function BudgetCard({ run }: { run: Run }) {
  const runLimits = listLimits(run);
  const workflowLimits = listLimits({ ...run, budget: run.definition.budget ?? {} });
  return (
    <Card title="Budget">
      {runLimits.length + workflowLimits.length === 0 && (
        <p className="p-4 text-ink-soft">No spending limit. Server-wide limits apply.</p>
      )}
      <LimitList title="Run" limits={runLimits} />
      <LimitList title="Workflow (until raised for the run)" limits={workflowLimits} />
    </Card>
  );
}

function LimitList({ title, limits }: { title: string; limits: BudgetLimit[] }) {
  if (limits.length === 0) return null;
  return (
    <div className="grid gap-2 px-4 py-3">
      <h3 className="text-xs text-ink-soft">{title}</h3>
      <ul className="grid gap-3">
        {limits.map((limit) => (
          <LimitItem key={limit.name} limit={limit} />
        ))}
      </ul>
    </div>
  );
}

function LimitItem({ limit }: { limit: BudgetLimit }) {
  const used = limit.used === null ? 0 : Math.min(1, limit.used / limit.allowed);
  const colour = used >= 1 ? "bg-err" : used >= 0.8 ? "bg-warn" : "bg-accent";
  return (
    <li className="grid gap-1">
      <p className="flex justify-between gap-2">
        <span>{limit.label}</span>
        <span>{limit.summary}</span>
      </p>
      <div aria-hidden className="h-1.5 overflow-hidden rounded-full bg-hover">
        <div className={cn("h-full rounded-full", colour)} style={{ width: `${used * 100}%` }} />
      </div>
    </li>
  );
}
