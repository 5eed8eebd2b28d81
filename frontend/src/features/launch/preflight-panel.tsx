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

import { findingsOf, isBlocked } from "./preflight";

/** What stands between this form and a good run: models, their providers, what is missing, what it may spend. */
export function PreflightPanel({ preflight }: { preflight: UseQueryResult<RunPreflight> }) {
  return (
    <Card title="Before it starts" aria-busy={preflight.isFetching}>
      {preflight.data ? (
        <Report report={preflight.data} />
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

function Report({ report }: { report: RunPreflight }) {
  // Without them only a missing key stays unsaid.
  const providers = useQuery(providersQuery());
  const { inputs, problems, warnings } = findingsOf(report, providers.data);
  return (
    <div className="divide-y divide-line">
      <ul aria-label="Findings" className="grid gap-2 px-4 py-3">
        {!isBlocked(report) && inputs === 0 && <Finding kind="ok">Ready to start.</Finding>}
        {inputs > 0 && (
          <Finding kind="input">{pluralize(inputs, "input")} still to be filled in.</Finding>
        )}
        {problems.map((words) => (
          <Finding key={words} kind="err">
            {words}
          </Finding>
        ))}
        {warnings.map((words) => (
          <Finding key={words} kind="warn">
            {words}
          </Finding>
        ))}
      </ul>
      {report.models.length > 0 && (
        <ul aria-label="Models" className="grid gap-2.5 px-4 py-3">
          {report.models.map((model) => (
            <ModelUse key={`${model.type} ${model.name}`} model={model} />
          ))}
        </ul>
      )}
      <p className="px-4 py-3 text-ink-soft">{spending(report)}</p>
    </div>
  );
}

const MARKS = {
  ok: { Icon: CircleCheck, className: "text-ok", word: "" },
  input: { Icon: TextCursorInput, className: "text-ink-faint", word: "" },
  warn: { Icon: TriangleAlert, className: "text-warn", word: "Warning: " },
  err: { Icon: CircleAlert, className: "text-err", word: "Problem: " },
};

function Finding({ kind, children }: { kind: keyof typeof MARKS; children: ReactNode }) {
  const { Icon, className, word } = MARKS[kind];
  return (
    <li className="flex gap-2">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${className}`} />
      <span className="min-w-0 wrap-anywhere">
        <span className="sr-only">{word}</span>
        {children}
      </span>
    </li>
  );
}

function ModelUse({ model }: { model: RunPreflight["models"][number] }) {
  const { name, type, provider, usedBy, problem } = model;
  return (
    <li className="grid gap-0.5">
      <span className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium break-all">{name}</span>
        {provider && <span className="text-ink-soft">{provider.name}</span>}
      </span>
      <span className="text-xs text-ink-faint">
        {type === "embedder" ? "for memory and knowledge" : `asked by ${usedBy.join(", ")}`}
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

/** `At least 2 model calls. It may spend up to 50 calls and 10m 0s.` */
function spending({ estimatedCalls, budget }: RunPreflight): string {
  const calls =
    estimatedCalls === null ? "" : `At least ${pluralize(estimatedCalls, "model call")}. `;
  const limits = [
    budget.maxCost != null && `a cost of ${budget.maxCost}`,
    budget.maxTokens != null && `${formatCount(budget.maxTokens)} tokens`,
    budget.maxLlmCalls != null && `${formatCount(budget.maxLlmCalls)} calls`,
    budget.maxSeconds != null && `${formatDuration(budget.maxSeconds * 1000)} at work`,
  ].filter(Boolean);
  return `${calls}${limits.length > 0 ? `It may spend up to ${limits.join(", ")}.` : "Nothing limits what it may spend."}`;
}
