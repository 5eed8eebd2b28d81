/** Labels and metrics for the comparison of two runs. */
import type { RunDiff, RunSummary, WorkflowDefinition } from "@/lib/api/types";
import { formatCost, formatCount, formatDuration } from "@/lib/format";

import { runDurationMs } from "./run-duration-ms";

export type Change = RunDiff["inputs"][number];
export type ChangeKind = "only-a" | "only-b" | "differs";

export function changeKind({ a, b }: Change): ChangeKind {
  if (a === null || a === undefined) return "only-b";
  return b === null || b === undefined ? "only-a" : "differs";
}

/** Returns a value as text; null when there is none. */
export function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** Formats `/tasks/0/description` as `tasks › research › description`, with the definition's own keys. */
export function pathLabel(path: string, definition?: WorkflowDefinition): string {
  let node: unknown = definition;
  const labels = pathSegments(path).map((segment) => {
    const member = isIndexed(node) ? node[segment] : undefined;
    node = member;
    const key = isIndexed(member) ? (member["key"] ?? member["name"]) : undefined;
    if (!/^\d+$/.test(segment)) return segmentLabel(segment);
    return typeof key === "string" ? key : `no. ${Number(segment) + 1}`;
  });
  return labels.join(" › ") || "entire value";
}

/** Formats `/tasks/draft/raw` as `Task draft`. */
export function outputLabel(path: string): string {
  const [first, key, ...rest] = pathSegments(path);
  if (first === undefined) return "Result";
  if (first !== "tasks" || key === undefined) return outputSegmentLabel(first);
  const labels = rest.filter((segment) => segment !== "raw").map(segmentLabel);
  return [`Task ${key}`, ...labels].join(" › ");
}

/** Removes the change of the result when a task has the same change: the result is the last task's output. */
export function withoutDuplicateResult(outputs: readonly Change[]): Change[] {
  return outputs.filter(
    (one) =>
      one.path !== "/raw" ||
      !outputs.some((other) => other !== one && other.a === one.a && other.b === one.b),
  );
}

export interface MetricComparison {
  name: string;
  a: string;
  b: string;
  direction: "same" | "more" | "less" | "unknown";
  /** The change from a to b: `25% more`. */
  change: string;
}

type FormatValue = (value: number | null) => string;

/** Compares duration, cost, tokens and calls of two runs. */
export function compareMetrics({ a, b }: Pick<RunDiff, "a" | "b">): MetricComparison[] {
  const compare = (
    name: string,
    read: (run: RunSummary) => number | null | undefined,
    format: FormatValue,
  ) => compareMetric(name, read(a) ?? null, read(b) ?? null, format);
  return [
    compare("Duration", (run) => (run.finishedAt ? runDurationMs(run, 0) : null), formatDuration),
    compareCosts(a, b),
    compare("Tokens", (run) => run.usage.totalTokens, formatCount),
    compare("Input tokens", (run) => run.usage.promptTokens, formatCount),
    compare("Output tokens", (run) => run.usage.completionTokens, formatCount),
    compare("Model calls", (run) => run.usage.llmCalls, formatCount),
    compare("Tool calls", (run) => run.usage.toolCalls, formatCount),
  ];
}

/** Costs in different currencies are shown but not compared. */
function compareCosts(a: RunSummary, b: RunSummary): MetricComparison {
  const [costA, costB] = [a.usage.cost, b.usage.cost];
  const amount = (cost: typeof costA) =>
    cost && costA?.currency === costB?.currency ? Number(cost.amount) : null;
  return {
    ...compareMetric("Cost", amount(costA), amount(costB), String),
    a: formatCost(costA),
    b: formatCost(costB),
  };
}

function compareMetric(
  name: string,
  a: number | null,
  b: number | null,
  format: FormatValue,
): MetricComparison {
  const values = { name, a: format(a), b: format(b) };
  if (a === null || b === null) return { ...values, direction: "unknown", change: "unknown" };
  if (a === b) return { ...values, direction: "same", change: "no change" };
  const direction = b > a ? "more" : "less";
  return { ...values, direction, change: formatChange(a, b, direction) };
}

function formatChange(a: number, b: number, direction: "more" | "less"): string {
  if (a === 0) return direction;
  const percent = Math.round((Math.abs(b - a) / a) * 100);
  if (percent > 999) return `${Math.round(b / a)} times`;
  return percent === 0 ? `slightly ${direction}` : `${percent}% ${direction}`;
}

function pathSegments(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}

/** Formats `expected_output` and `expectedOutput` as `expected output`. */
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
