import type { Run, RunTask } from "@/lib/api/types";

import { outputToText, parseOutput, type Output } from "./parse-output";

/** One Markdown document with the result and the output of each task. */
export function outputsToMarkdown(run: Run, tasks: readonly RunTask[]): string {
  const parts = [`# ${run.workflowName}`, `Run ${run.id}, ${run.status}`];
  if (run.result) parts.push("## Result", outputToMarkdown(parseOutput(run.result)));
  for (const task of tasks) {
    if (!task.result) continue;
    const agent = task.agent ? ` (${task.agent})` : "";
    parts.push(`## ${task.key}${agent}`, outputToMarkdown(parseOutput(task.result)));
  }
  return `${parts.join("\n\n")}\n`;
}

function outputToMarkdown(output: Output): string {
  return output.json === undefined ? output.raw : `\`\`\`json\n${outputToText(output)}\n\`\`\``;
}

export function outputsToJson(run: Run, tasks: readonly RunTask[]): string {
  const content = {
    runId: run.id,
    workflow: run.workflowName,
    inputs: run.inputs,
    result: run.result,
    tasks: tasks.map(({ key, agent, status, result }) => ({ key, agent, status, result })),
  };
  return JSON.stringify(content, null, 2);
}

/** A file name such as `market-research-9f3a2c.md`. */
export function exportFileName(run: Run, extension: string): string {
  const slug = run.workflowName
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${slug || "run"}-${run.id.slice(-6)}.${extension}`;
}
