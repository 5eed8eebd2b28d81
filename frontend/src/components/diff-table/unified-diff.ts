export interface DiffLine {
  kind: "same" | "added" | "removed";
  /** Line numbers from 1; null on the side that does not have the line. */
  before: number | null;
  after: number | null;
  text: string;
}

export interface Hunk {
  /** Number of unchanged lines left out before this hunk. */
  skipped: number;
  lines: DiffLine[];
}

/** A row of the side-by-side view. */
export interface LinePair {
  before: DiffLine | null;
  after: DiffLine | null;
}

const HUNK_HEADER = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Parses the output of `diff -u`. */
export function parseUnifiedDiff(diff: string): Hunk[] {
  const hunks: Hunk[] = [];
  let before = 1;
  let after = 1;
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    const header = HUNK_HEADER.exec(line);
    const hunk = hunks.at(-1);
    if (header) {
      // An empty side counts from the line before it: `@@ -0,0 +1,3 @@`.
      const start = Number(header[1]) + (header[2] === "0" ? 1 : 0);
      hunks.push({ skipped: start - before, lines: [] });
      before = start;
      after = Number(header[3]) + (header[4] === "0" ? 1 : 0);
    } else if (hunk) {
      const parsed = parseLine(line, before, after);
      if (!parsed) continue;
      hunk.lines.push(parsed);
      if (parsed.before !== null) before += 1;
      if (parsed.after !== null) after += 1;
    }
  }
  return hunks;
}

function parseLine(line: string, before: number, after: number): DiffLine | null {
  const text = line.slice(1);
  if (line.startsWith("+")) return { kind: "added", before: null, after, text };
  if (line.startsWith("-")) return { kind: "removed", before, after: null, text };
  // `\ No newline at end of file` is not a line of the text.
  return line.startsWith("\\") ? null : { kind: "same", before, after, text };
}

/** Pairs removed lines with the lines added in their place, for the side-by-side view. */
export function pairLines(lines: readonly DiffLine[]): LinePair[] {
  const pairs: LinePair[] = [];
  let removed: DiffLine[] = [];
  let added: DiffLine[] = [];
  const flush = () => {
    for (let row = 0; row < Math.max(removed.length, added.length); row += 1) {
      pairs.push({ before: removed[row] ?? null, after: added[row] ?? null });
    }
    removed = [];
    added = [];
  };
  for (const line of lines) {
    if (line.kind === "removed") {
      if (added.length > 0) flush();
      removed.push(line);
    } else if (line.kind === "added") added.push(line);
    else {
      flush();
      pairs.push({ before: line, after: line });
    }
  }
  flush();
  return pairs;
}

export function countChangedLines(hunks: readonly Hunk[]): { added: number; removed: number } {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  return {
    added: lines.filter((line) => line.kind === "added").length,
    removed: lines.filter((line) => line.kind === "removed").length,
  };
}
