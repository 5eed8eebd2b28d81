import { api, body } from "@/lib/api/client";
import type { Run, RunTask } from "@/lib/api/types";
import { formatCost, formatCount, formatDateTime } from "@/lib/format";
import { downloadFile } from "@/lib/download-file";

/** Downloads a run with its tasks; JSON also includes the usage. */
export async function exportRun(run: Run, format: "json" | "markdown"): Promise<void> {
  const params = { path: { run_id: run.id } };
  const { tasks } = body(await api.GET("/api/v1/runs/{run_id}/tasks", { params }));
  if (format === "markdown") {
    const blob = new Blob([runToMarkdown(run, tasks)], { type: "text/markdown" });
    return downloadFile(`${run.id}.md`, blob);
  }
  const usage = body(await api.GET("/api/v1/runs/{run_id}/usage", { params }));
  const text = JSON.stringify({ run, tasks, usage }, null, 2);
  return downloadFile(`${run.id}.json`, new Blob([text], { type: "application/json" }));
}

export function runToMarkdown(run: Run, tasks: readonly RunTask[]): string {
  const version = run.workflowVersion === null ? "" : ` v${run.workflowVersion}`;
  const parts = [
    `# ${run.workflowName}${version}`,
    [
      `- Run: \`${run.id}\``,
      `- Status: ${run.status}`,
      `- Started: ${run.startedAt ? formatDateTime(run.startedAt) : "–"}`,
      `- Finished: ${run.finishedAt ? formatDateTime(run.finishedAt) : "–"}`,
      `- Tokens: ${formatCount(run.usage.totalTokens)}, cost: ${formatCost(run.usage.cost)}`,
    ].join("\n"),
    "## Inputs",
    codeBlock(JSON.stringify(run.inputs, null, 2), "json"),
    ...tasks.flatMap((task) => [`## ${task.key}`, outcomeOf(task)]),
  ];
  if (run.error) parts.push("## Error", run.error.message);
  return `${parts.join("\n\n")}\n`;
}

function outcomeOf(task: RunTask): string {
  if (task.error) return `Failed: ${task.error.message}`;
  return task.result?.raw ?? `(${task.status})`;
}

/** A code block whose fence is longer than any run of backticks in the text. */
function codeBlock(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
