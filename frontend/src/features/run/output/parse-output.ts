import type { Run, RunTask } from "@/lib/api/types";
import { previewText } from "@/lib/format";

/** One output: its text, and its structure when it has one. */
export interface Output {
  raw: string;
  json: unknown;
}

/** What an output brought; models asked for JSON often answer with it as mere text. */
export function outputOf(result: { raw: string; jsonOutput?: unknown }): Output {
  return { raw: result.raw, json: result.jsonOutput ?? parsed(result.raw) };
}

function parsed(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return undefined;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return undefined;
  }
}

/** The text as it is copied and saved: structure is written in a readable form. */
export function plainText({ raw, json }: Output): string {
  return json === undefined ? raw : JSON.stringify(json, null, 2);
}

/** The first words of a text, without the marks of Markdown: what one line can show. */
export function teaser(text: string, length: number): string {
  const line = text.split("\n").find((one) => /[\p{L}\p{N}]/u.test(one)) ?? "";
  const words = line.replace(/^[\s#>*+-]+/, "").replace(/(\*\*|__|`)/g, "");
  return previewText(words, length);
}

/** The whole run as one Markdown document: the result, then what each task brought. */
export function markdownOf(run: Run, tasks: readonly RunTask[]): string {
  const parts = [`# ${run.workflowName}`, `Run ${run.id}, ${run.status}`];
  if (run.result) parts.push("## Result", fenced(outputOf(run.result)));
  for (const task of tasks) {
    if (!task.result) continue;
    const by = task.agent ? ` (${task.agent})` : "";
    parts.push(`## ${task.key}${by}`, fenced(outputOf(task.result)));
  }
  return `${parts.join("\n\n")}\n`;
}

/** The whole run's outputs for a machine. */
export function jsonOf(run: Run, tasks: readonly RunTask[]): string {
  const outputs = tasks.map(({ key, agent, status, result }) => ({ key, agent, status, result }));
  const whole = { runId: run.id, workflow: run.workflowName, inputs: run.inputs };
  return JSON.stringify({ ...whole, result: run.result, tasks: outputs }, null, 2);
}

function fenced(output: Output): string {
  return output.json === undefined ? output.raw : `\`\`\`json\n${plainText(output)}\n\`\`\``;
}

/** A plain name for a file: `market-research-9f3a.md`. */
export function fileName(run: Run, ending: string): string {
  const words = run.workflowName
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${words || "run"}-${run.id.slice(-6)}.${ending}`;
}

/** `950 B`, `13.6 kB`, `2 MB`. */
export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [size, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${Number(size.toFixed(1))} ${unit}`;
}
