/** What differs between two runs, in words. */
import type { RunDiff, RunSummary, WorkflowDefinition } from "@/lib/api/types";
import { formatCount, formatDuration, formatCost } from "@/lib/format";

import { runDurationMs } from "./run-summary";

export type Change = RunDiff["inputs"][number];
export type ChangeKind = "only-a" | "only-b" | "differs";

export function changeKind({ a, b }: Change): ChangeKind {
  if (a === null || a === undefined) return "only-b";
  return b === null || b === undefined ? "only-a" : "differs";
}

/** A value as text; null when there is none. */
export function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** `/tasks/0/description` as `tasks › research › description`, by the definition's own keys. */
export function pathLabel(path: string, definition?: WorkflowDefinition): string {
  let place: unknown = definition;
  const words = pathSegments(path).map((segment) => {
    const entry = isIndexed(place) ? place[segment] : undefined;
    place = entry;
    const key = isIndexed(entry) ? (entry["key"] ?? entry["name"]) : undefined;
    if (!/^\d+$/.test(segment)) return segmentLabel(segment);
    return typeof key === "string" ? key : `no. ${Number(segment) + 1}`;
  });
  return words.join(" › ") || "everything";
}

/** `/tasks/draft/raw` as `Task draft`: a result repeats the last task's, so that is not told twice. */
export function outputLabel(path: string): string {
  const [first, key, ...rest] = pathSegments(path);
  if (first === undefined) return "Result";
  if (first !== "tasks" || key === undefined) return outputSegmentLabel(first);
  const part = rest.filter((one) => one !== "raw").map(segmentLabel);
  return [`Task ${key}`, ...part].join(" › ");
}

/** Without the final text when a task has brought the very same. */
export function withoutDuplicateResult(outputs: readonly Change[]): Change[] {
  return outputs.filter(
    (one) =>
      one.path !== "/raw" ||
      !outputs.some((other) => other !== one && other.a === one.a && other.b === one.b),
  );
}

function amount(run: RunSummary): number | null {
  return run.usage.cost ? Number(run.usage.cost.amount) : null;
}

export interface MetricComparison {
  name: string;
  a: string;
  b: string;
  direction: "same" | "more" | "less" | "unknown";
  /** How b stands to a: `25 % more`. */
  change: string;
}

/** The figures of both runs, and how b stands to a. */
export function compareMetrics({ a, b }: Pick<RunDiff, "a" | "b">): MetricComparison[] {
  const sameCurrency = a.usage.cost?.currency === b.usage.cost?.currency;
  const row = (
    name: string,
    read: (run: RunSummary) => number | null,
    say: (n: number | null) => string,
  ) => compareMetric(name, read(a), read(b), say);
  return [
    row("Time", (run) => (run.finishedAt ? runDurationMs(run, 0) : null), formatDuration),
    {
      ...compareMetric(
        "Cost",
        sameCurrency ? amount(a) : null,
        sameCurrency ? amount(b) : null,
        String,
      ),
      a: formatCost(a.usage.cost),
      b: formatCost(b.usage.cost),
    },
    row("Tokens", (run) => run.usage.totalTokens ?? null, formatCount),
    row("Tokens in", (run) => run.usage.promptTokens ?? null, formatCount),
    row("Tokens out", (run) => run.usage.completionTokens ?? null, formatCount),
    row("Model calls", (run) => run.usage.llmCalls ?? null, formatCount),
    row("Tool calls", (run) => run.usage.toolCalls ?? null, formatCount),
  ];
}

function compareMetric(
  name: string,
  a: number | null,
  b: number | null,
  say: (value: number | null) => string,
): MetricComparison {
  const words = { name, a: say(a), b: say(b) };
  if (a === null || b === null) return { ...words, direction: "unknown", change: "unknown" };
  if (a === b) return { ...words, direction: "same", change: "same" };
  const verdict = b > a ? "more" : "less";
  return { ...words, direction: verdict, change: formatChange(a, b, verdict) };
}

function formatChange(a: number, b: number, verdict: "more" | "less"): string {
  if (a === 0) return verdict;
  const percent = Math.round((Math.abs(b - a) / a) * 100);
  if (percent > 999) return `${Math.round(b / a)} times`;
  return percent === 0 ? `slightly ${verdict}` : `${percent} % ${verdict}`;
}

function pathSegments(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}

/** `expected_output` and `expectedOutput` as `expected output`. */
function segmentLabel(segment: string): string {
  return segment
    .replaceAll("_", " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
}

function outputSegmentLabel(segment: string): string {
  if (segment === "raw") return "Result";
  return segment === "json_output" || segment === "jsonOutput"
    ? "Result as JSON"
    : segmentLabel(segment);
}

function isIndexed(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
