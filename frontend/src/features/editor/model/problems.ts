import type { YamlProblem } from "@/lib/api/types";

import { findSharedEnds } from "./shared-ends";
import type { Span } from "./parse-workflow";

/** A problem with its position in the text. */
export interface EditorProblem extends Span {
  line: number;
  message: string;
  severity: "error" | "warning";
  /** What was probably meant; replaces the text of the span. */
  suggestion?: string;
}

/** The server's problems of one text. */
export interface ValidationReport {
  text: string;
  problems: EditorProblem[];
}

/**
 * Finds the text that each of the server's problems is about.
 *
 * The server counts columns in code points, the editor positions in UTF-16 code units.
 */
export function locateProblems(problems: YamlProblem[], text: string): EditorProblem[] {
  const starts = getLineStarts(text);
  return problems.map((problem) => {
    const start = starts[problem.line - 1] ?? 0;
    const lineEnd = text.indexOf("\n", start);
    const line = text.slice(start, lineEnd === -1 ? text.length : lineEnd);
    const before = Array.from(line)
      .slice(0, Math.max(0, problem.column - 1))
      .join("");
    const from = start + before.length;
    return {
      from,
      to: from + getTokenLength(line.slice(before.length)),
      line: Math.max(1, problem.line),
      message: problem.message,
      severity: problem.severity ?? "error",
      suggestion: problem.suggestion ?? undefined,
    };
  });
}

/**
 * The problems to show for a text: the server's report once it is there, until then syntax errors, or the
 * problems of the previous report that the edit has not touched.
 */
export function selectProblems(
  syntaxProblems: EditorProblem[],
  report: ValidationReport | null,
  text: string,
): EditorProblem[] {
  if (syntaxProblems.length > 0 && report?.text !== text) return syntaxProblems;
  const problems = report ? rebaseProblems(report.problems, report.text, text) : [];
  return problems.toSorted((one, two) => one.from - two.from);
}

/** Moves problems of an older text to their positions in a newer one; those inside the edit are dropped. */
export function rebaseProblems(
  problems: EditorProblem[],
  older: string,
  newer: string,
): EditorProblem[] {
  if (older === newer) return problems;
  const { prefix, suffix } = findSharedEnds(older, newer);
  const shift = newer.length - older.length;
  const starts = getLineStarts(newer);
  return problems.flatMap((problem) => {
    if (problem.to < prefix) return [problem];
    if (problem.from <= older.length - suffix) return [];
    const from = problem.from + shift;
    return [{ ...problem, from, to: problem.to + shift, line: getLineNumber(starts, from) }];
  });
}

function getLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The number (from 1) of the line that contains a position. */
function getLineNumber(starts: number[], position: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= position) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** The length of the key, quoted text or plain value at the start of a line's rest. */
function getTokenLength(rest: string): number {
  const quoted = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'/.exec(rest);
  if (quoted) return quoted[0].length;
  const plain = /^[^\s:,[\]{}#]+(?:[ \t]+[^\s:,[\]{}#]+)*/.exec(rest);
  return Math.max(1, plain ? plain[0].length : rest.trimEnd().length);
}
