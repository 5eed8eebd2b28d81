import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run, Usage } from "@/lib/api/types";
import { formatCount, formatCost, pluralize } from "@/lib/format";
import { runUsageQuery } from "@/lib/queries/runs";

/** Which models were asked, and which agent is set to which. */
export function ModelsCard({ run }: { run: Run }) {
  const usage = useQuery(runUsageQuery(run.id));
  return (
    <Card title="Models">
      {usage.isPending && <SkeletonRows rows={1} />}
      {usage.isError && (
        <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} className="m-4" />
      )}
      {usage.data && <Used byModel={usage.data.byModel} />}
      <dl className="grid gap-x-4 gap-y-1 border-t px-4 py-3 sm:grid-cols-[8rem_1fr]">
        {run.definition.agents.map(({ key, model }) => (
          <div key={key} className="contents">
            <dt className="break-words text-ink-soft">{key}</dt>
            <dd className="min-w-0 break-words">
              {model?.name ?? <span className="text-ink-faint">the workspace&apos;s default</span>}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Used({ byModel }: { byModel: Record<string, Usage> }) {
  const models = Object.entries(byModel);
  if (models.length === 0) return <p className="p-4 text-ink-soft">No model has been asked yet.</p>;
  return (
    <ul className="divide-y">
      {models.map(([name, usage]) => (
        <li key={name} className="flex flex-wrap items-baseline gap-x-3 px-4 py-2">
          <span className="min-w-0 flex-1 font-medium break-words">{name}</span>
          <span className="text-xs text-ink-soft">
            {pluralize(usage.llmCalls ?? 0, "call")} · {formatCount(usage.totalTokens)} tokens ·{" "}
            {usage.cost ? formatCost(usage.cost) : "no price"}
          </span>
        </li>
      ))}
    </ul>
  );
}
