import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run, Usage } from "@/lib/api/types";
import { formatCost, formatCount, pluralize } from "@/lib/format";
import { runUsageQuery } from "@/lib/queries/runs";

/** The usage of each model, and the model configured for each agent. */
export function ModelsCard({ run }: { run: Run }) {
  const usage = useQuery(runUsageQuery(run.id));
  return (
    <Card title="Models">
      {usage.isPending && <SkeletonRows rows={1} />}
      {usage.isError && (
        <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} className="m-4" />
      )}
      {usage.data && <ModelUsage byModel={usage.data.byModel} />}
      {run.definition.agents.length > 0 && <AgentModels run={run} />}
      {run.projectId !== null && (
        <p className="border-t px-4 py-3 text-ink-soft">
          The code names its models; the{" "}
          <Link
            to="/projects/$projectId"
            params={{ projectId: run.projectId }}
            search={{ tab: "models" }}
            className="text-accent underline underline-offset-2"
          >
            project&rsquo;s models
          </Link>{" "}
          say which registered model answers.
        </p>
      )}
    </Card>
  );
}

function AgentModels({ run }: { run: Run }) {
  return (
    <dl className="grid gap-x-4 gap-y-1 border-t px-4 py-3 sm:grid-cols-[8rem_1fr]">
      {run.definition.agents.map(({ key, model }) => (
        <div key={key} className="contents">
          <dt className="break-words text-ink-soft">{key}</dt>
          <dd className="min-w-0 break-words">
            {model?.name ?? <span className="text-ink-faint">workspace default</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function ModelUsage({ byModel }: { byModel: Record<string, Usage> }) {
  const models = Object.entries(byModel);
  if (models.length === 0) return <p className="p-4 text-ink-soft">No model calls yet.</p>;
  return (
    <ul className="divide-y">
      {models.map(([name, usage]) => (
        <li key={name} className="flex flex-wrap items-baseline gap-x-3 px-4 py-2">
          <span className="min-w-0 flex-1 font-medium break-words">{name}</span>
          <span className="text-xs text-ink-soft">
            {pluralize(usage.llmCalls ?? 0, "call")} · {formatCount(usage.totalTokens)} tokens ·{" "}
            {usage.cost ? formatCost(usage.cost) : "price unknown"}
          </span>
        </li>
      ))}
    </ul>
  );
}
