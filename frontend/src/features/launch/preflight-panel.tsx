import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, TextCursorInput, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { RunPreflight } from "@/lib/api/types";
import { formatCount, formatDuration, pluralize } from "@/lib/format";
import { providersQuery } from "@/lib/queries/models";

import { summarizePreflight, isBlocked } from "./preflight";

/** Problems, models and spending limits of the run, checked before it starts. */
export function PreflightPanel({ preflight }: { preflight: UseQueryResult<RunPreflight> }) {
  return (
    <Card title="Preflight checks" aria-busy={preflight.isFetching}>
      {preflight.data ? (
        <PreflightReport report={preflight.data} />
      ) : preflight.error ? (
        <ErrorPanel
          error={preflight.error}
          onRetry={() => void preflight.refetch()}
          className="m-4"
        />
      ) : (
        <SkeletonRows rows={3} />
      )}
    </Card>
  );
}

function PreflightReport({ report }: { report: RunPreflight }) {
  // Needed only to warn of missing API keys, so errors are ignored.
  const providers = useQuery(providersQuery());
  const { inputs, problems, warnings } = summarizePreflight(report, providers.data);
  return (
    <div className="divide-y divide-line">
      <ul aria-label="Checks" className="grid gap-2 px-4 py-3">
        {!isBlocked(report) && inputs === 0 && <Finding kind="ok">Ready to start.</Finding>}
        {inputs > 0 && <Finding kind="input">Complete {pluralize(inputs, "input")}.</Finding>}
        {problems.map(({ message, remedy }) => (
          <Finding key={message} kind="err">
            {message} {remedy && <Remedy path={remedy} />}
          </Finding>
        ))}
        {warnings.map((message) => (
          <Finding key={message} kind="warn">
            {message}
          </Finding>
        ))}
      </ul>
      {report.models.length > 0 && (
        <ul aria-label="Models" className="grid gap-2.5 px-4 py-3">
          {report.models.map((model) => (
            <ModelUsage key={`${model.type} ${model.name}`} model={model} />
          ))}
        </ul>
      )}
      <p className="px-4 py-3 text-ink-soft">{describeBudget(report)}</p>
    </div>
  );
}

/** A link to where a problem can be fixed: a path of this dashboard, such as `/tools?add=search`. */
function Remedy({ path }: { path: string }) {
  const { pathname, searchParams } = new URL(path, location.origin);
  const add = searchParams.get("add");
  if (pathname !== "/tools") return null;
  return (
    <Link to="/tools" search={add ? { add } : {}} className="underline underline-offset-2">
      {add ? "Add a connection" : "Open Tools"}
    </Link>
  );
}

const FINDING_STYLES = {
  ok: { Icon: CircleCheck, className: "text-ok", label: "" },
  input: { Icon: TextCursorInput, className: "text-ink-faint", label: "" },
  warn: { Icon: TriangleAlert, className: "text-warn", label: "Warning: " },
  err: { Icon: CircleAlert, className: "text-err", label: "Problem: " },
};

function Finding({ kind, children }: { kind: keyof typeof FINDING_STYLES; children: ReactNode }) {
  const { Icon, className, label } = FINDING_STYLES[kind];
  return (
    <li className="flex gap-2">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${className}`} />
      <span className="min-w-0 wrap-anywhere">
        <span className="sr-only">{label}</span>
        {children}
      </span>
    </li>
  );
}

function ModelUsage({ model }: { model: RunPreflight["models"][number] }) {
  const { name, type, provider, usedBy, problem } = model;
  return (
    <li className="grid gap-0.5">
      <span className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium break-all">{name}</span>
        {provider && <span className="text-ink-soft">{provider.name}</span>}
      </span>
      <span className="text-xs text-ink-faint">
        {type === "embedder" ? "Used for memory and knowledge" : `Used by ${usedBy.join(", ")}`}
      </span>
      {problem && (
        <span className="text-err">
          {problem.message}{" "}
          <Link to="/models" className="underline underline-offset-2">
            Providers &amp; models
          </Link>
        </span>
      )}
    </li>
  );
}

/** `At least 2 model calls. Budget: 50 model calls, 10m 0s active time.` */
function describeBudget({ estimatedCalls, budget }: RunPreflight): string {
  const calls =
    estimatedCalls === null ? "" : `At least ${pluralize(estimatedCalls, "model call")}. `;
  const limits = [
    budget.maxCost != null && `cost ${budget.maxCost}`,
    budget.maxTokens != null && `${formatCount(budget.maxTokens)} tokens`,
    budget.maxLlmCalls != null && `${formatCount(budget.maxLlmCalls)} model calls`,
    budget.maxSeconds != null && `${formatDuration(budget.maxSeconds * 1000)} active time`,
  ].filter(Boolean);
  return `${calls}${limits.length > 0 ? `Budget: ${limits.join(", ")}.` : "No spending limit."}`;
}
