/** A unified diff as rows, for both ways of showing it. */

export interface DiffLine {
  kind: "same" | "added" | "removed";
  /** Line numbers from 1; null on the side that has no such line. */
  before: number | null;
  after: number | null;
  text: string;
}

export interface Hunk {
  /** Unchanged lines that were left out before this hunk. */
  skipped: number;
  lines: DiffLine[];
}

/** A row of the side-by-side view: what stood left, what stands right. */
export interface Pair {
  before: DiffLine | null;
  after: DiffLine | null;
}

const HEAD = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** Reads the text of `diff -u`. */
export function hunksOf(diff: string): Hunk[] {
  const hunks: Hunk[] = [];
  let before = 1;
  let after = 1;
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    const head = HEAD.exec(line);
    const hunk = hunks.at(-1);
    if (head) {
      // An empty side counts from the line before it: `@@ -0,0 +1,3 @@`.
      const start = Number(head[1]) + (head[2] === "0" ? 1 : 0);
      hunks.push({ skipped: start - before, lines: [] });
      before = start;
      after = Number(head[3]) + (head[4] === "0" ? 1 : 0);
    } else if (hunk) {
      const read = lineOf(line, before, after);
      if (!read) continue;
      hunk.lines.push(read);
      if (read.before !== null) before += 1;
      if (read.after !== null) after += 1;
    }
  }
  return hunks;
}

function lineOf(line: string, before: number, after: number): DiffLine | null {
  const text = line.slice(1);
  if (line.startsWith("+")) return { kind: "added", before: null, after, text };
  if (line.startsWith("-")) return { kind: "removed", before, after: null, text };
  // `\ No newline at end of file` is a remark, no line.
  return line.startsWith("\\") ? null : { kind: "same", before, after, text };
}

/** The same lines in two columns: what was removed stands beside what was added in its place. */
export function pairsOf(lines: readonly DiffLine[]): Pair[] {
  const pairs: Pair[] = [];
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

/** How much was added and removed. */
export function countsOf(hunks: readonly Hunk[]): { added: number; removed: number } {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  return {
    added: lines.filter((line) => line.kind === "added").length,
    removed: lines.filter((line) => line.kind === "removed").length,
  };
}
