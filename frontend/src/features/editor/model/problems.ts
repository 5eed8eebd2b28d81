/** One finding in the text, as the editor shows it. */
import type { YamlProblem } from "@/lib/api/types";

import type { Span } from "./document";

export interface EditorProblem extends Span {
  line: number;
  message: string;
  code: string;
  severity: "error" | "warning";
  /** What was probably meant; it can take the place of what stands there. */
  suggestion?: string;
  /** Who found it: this browser at once, or the server, whose word counts. */
  source: "browser" | "server";
}

/** The server's findings with their place in the text; its columns count characters, ours UTF-16 units. */
export function placed(problems: YamlProblem[], text: string): EditorProblem[] {
  const starts = lineStarts(text);
  return problems.map((problem) => {
    const start = starts[problem.line - 1] ?? 0;
    const line = lineAt(text, start);
    const before = Array.from(line)
      .slice(0, Math.max(0, problem.column - 1))
      .join("");
    const from = start + before.length;
    return {
      from,
      to: from + lengthOf(line.slice(before.length)),
      line: Math.max(1, problem.line),
      message: problem.message,
      code: problem.code,
      severity: problem.severity ?? "error",
      suggestion: problem.suggestion ?? undefined,
      source: "server" as const,
    };
  });
}

/** Problems of an older text at their places in the newer one; what was edited away is left out. */
export function carriedOver(
  problems: EditorProblem[],
  older: string,
  newer: string,
): EditorProblem[] {
  if (older === newer) return problems;
  const { head, tail } = commonEnds(older, newer);
  const shift = newer.length - older.length;
  const starts = lineStarts(newer);
  return problems.flatMap((problem) => {
    if (problem.to < head) return [problem];
    if (problem.from <= older.length - tail) return [];
    const from = problem.from + shift;
    return [{ ...problem, from, to: problem.to + shift, line: lineOf(starts, from) }];
  });
}

/**
 * One list of what both found. The server's report on this very text replaces all that the browser found;
 * an older report only adds what the browser cannot know.
 */
export function merged(
  browser: EditorProblem[],
  server: { text: string; problems: EditorProblem[] } | null,
  text: string,
): EditorProblem[] {
  if (server?.text === text) return sorted(server.problems);
  const known = new Set(BROWSER_CODES);
  const older = server ? carriedOver(server.problems, server.text, text) : [];
  const kept = older.filter((problem) => !known.has(problem.code));
  return sorted([...browser.filter((one) => !kept.some((two) => overlap(one, two))), ...kept]);
}

/** What this browser judges by itself: such findings of an older report are not kept. */
const BROWSER_CODES = [
  "syntax",
  "duplicate-key",
  "unknown-key",
  "missing-field",
  "wrong-type",
  "unknown-value",
  "out-of-range",
  "empty-text",
  "text-too-long",
  "bad-name",
  "too-many-items",
  "unknown-agent",
  "unknown-context",
  "context-itself",
  "context-later",
  "unused-agent",
  "empty-document",
  "unknown-alias",
];

function overlap(one: EditorProblem, two: EditorProblem): boolean {
  return one.from === two.from || (one.from < two.to && two.from < one.to);
}

function sorted(problems: EditorProblem[]): EditorProblem[] {
  return problems.toSorted((one, two) => one.from - two.from);
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The line (from 1) on which a position stands. */
function lineOf(starts: number[], at: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  return low + 1;
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf("\n", start);
  return text.slice(start, end === -1 ? text.length : end);
}

/** How much of a line a finding underlines: one key, one quoted text, one word or plain value. */
function lengthOf(rest: string): number {
  const quoted = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'/.exec(rest);
  if (quoted) return quoted[0].length;
  const plain = /^[^\s:,[\]{}#]+(?:[ \t]+[^\s:,[\]{}#]+)*/.exec(rest);
  return Math.max(1, plain ? plain[0].length : rest.trimEnd().length);
}

function commonEnds(older: string, newer: string): { head: number; tail: number } {
  const most = Math.min(older.length, newer.length);
  let head = 0;
  while (head < most && older[head] === newer[head]) head += 1;
  let tail = 0;
  while (tail < most - head && older.at(-1 - tail) === newer.at(-1 - tail)) tail += 1;
  return { head, tail };
}
