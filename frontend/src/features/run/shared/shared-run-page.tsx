import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { RunStatus } from "@/components/run-status";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { usePageTitle } from "@/hooks/use-page-title";
import type { SharedRun } from "@/lib/api/types";
import { formatDateTime, formatDuration } from "@/lib/format";

import { OutputModeSwitch, OutputView, type OutputMode } from "../output/output-view";
import { parseOutput } from "../output/parse-output";

import { sharedRunQuery } from "./shared-run-query";

/** One run for people without an account: a page of its own, without the dashboard around it. */
export function SharedRunPage() {
  const [token] = useState(() => location.hash.slice(1));
  const run = useQuery(sharedRunQuery(token));
  usePageTitle(run.data?.workflowName ?? "Shared run");
  useEffect(() => {
    document.documentElement.dataset.ready = "";
  }, []);
  return (
    <main id="main" className="mx-auto grid w-full max-w-4xl content-start gap-4 p-4 sm:p-6">
      {run.data ? (
        <RunContent run={run.data} />
      ) : (
        <>
          <h1 className="text-xl leading-7 font-semibold">Shared run</h1>
          {run.isError ? (
            <ErrorPanel error={run.error} onRetry={() => void run.refetch()} />
          ) : (
            <SkeletonRows className="rounded-lg border bg-surface" />
          )}
        </>
      )}
    </main>
  );
}

function RunContent({ run }: { run: SharedRun }) {
  const [mode, setMode] = useState<OutputMode>("formatted");
  return (
    <>
      <header className="grid gap-1">
        <div className="flex flex-wrap items-center gap-3">
          <h1 className="min-w-0 text-xl leading-7 font-semibold break-words">
            {run.workflowName}
          </h1>
          <RunStatus state={run.status} />
        </div>
        <p className="text-ink-soft">
          {formatDateTime(run.createdAt)} · {formatDuration(run.activeSeconds * 1000)} · This link
          expires on {formatDateTime(run.expiresAt)}.
        </p>
      </header>
      <Card title="Result" actions={<OutputModeSwitch mode={mode} onChange={setMode} />}>
        {run.result ? (
          <OutputView output={parseOutput(run.result)} mode={mode} level={3} className="p-4" />
        ) : (
          <p className="p-4 text-ink-soft">{describeMissingResult(run)}</p>
        )}
      </Card>
      {run.tasks.map((task) => (
        <Card key={task.key} title={task.key}>
          <div className="grid gap-3 p-4">
            {task.description && <Prompt label="Task" text={task.description} />}
            {task.expectedOutput && <Prompt label="Expected output" text={task.expectedOutput} />}
            {task.output ? (
              <OutputView output={parseOutput(task.output)} mode={mode} level={3} />
            ) : (
              <p className="text-ink-soft">No output ({task.status}).</p>
            )}
          </div>
        </Card>
      ))}
      {run.inputs && (
        <Card title="Inputs">
          <pre dir="auto" className="p-4 font-mono text-[13px] break-words whitespace-pre-wrap">
            {JSON.stringify(run.inputs, null, 2)}
          </pre>
        </Card>
      )}
    </>
  );
}

function Prompt({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <h3 className="text-xs text-ink-soft">{label}</h3>
      <p dir="auto" className="break-words whitespace-pre-wrap">
        {text}
      </p>
    </div>
  );
}

function describeMissingResult(run: SharedRun): string {
  if (run.errorCode) return `The run failed (${run.errorCode}).`;
  return run.finishedAt ? "The run ended without a result." : "The result appears here.";
}
