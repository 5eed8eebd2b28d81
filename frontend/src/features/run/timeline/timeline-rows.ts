/** Which spans make the rows of the timeline, in which order. Pure. */
import { isOpen, wentWrong, type Span, type SpanKind } from "../store/span";

export interface SpanSource {
  readonly roots: readonly string[];
  readonly getSpan: (id: string) => Span | undefined;
}

export interface RowFilter {
  /** Only what went wrong. */
  errors: boolean;
  text: string;
  /** Only these kinds; empty for all. */
  kinds: readonly SpanKind[];
  /** Only what this task did. */
  task: string | null;
}

export interface Row {
  readonly id: string;
  readonly level: number;
  readonly position: number;
  readonly setSize: number;
  readonly parent: string | null;
  readonly expandable: boolean;
  readonly expanded: boolean;
}

export const EVERYTHING: RowFilter = { errors: false, text: "", kinds: [], task: null };

export function isFiltered(filter: RowFilter): boolean {
  return filter.errors || filter.text !== "" || filter.kinds.length > 0 || filter.task !== null;
}

/** The rows from top to bottom. A filter keeps what matches and whatever that is part of. */
export function visibleRows(
  source: SpanSource,
  filter: RowFilter,
  collapsed: ReadonlySet<string>,
): Row[] {
  const kept = isFiltered(filter) ? matching(source, filter) : null;
  const rows: Row[] = [];
  const list = (ids: readonly string[], level: number, parent: string | null) => {
    const shown = kept ? ids.filter((id) => kept.has(id)) : ids;
    for (const [index, id] of shown.entries()) {
      const span = source.getSpan(id);
      if (!span) continue;
      const below = kept ? span.children.filter((child) => kept.has(child)) : span.children;
      const expandable = below.length > 0;
      const expanded = expandable && !collapsed.has(id);
      const place = { level, position: index + 1, setSize: shown.length, parent };
      rows.push({ id, ...place, expandable, expanded });
      if (expanded) list(below, level + 1, id);
    }
  };
  list(inOrder(source), 1, null);
  return rows;
}

/** What began first stands first; what has not begun, last. */
function inOrder({ roots, getSpan }: SpanSource): readonly string[] {
  const begun = (id: string) => getSpan(id)?.startSeq || Number.MAX_SAFE_INTEGER;
  return roots.toSorted((a, b) => begun(a) - begun(b));
}

function matching(source: SpanSource, filter: RowFilter): Set<string> {
  const kept = new Set<string>();
  const test = tester(filter);
  const visit = (id: string): boolean => {
    const span = source.getSpan(id);
    if (!span) return false;
    // Every child is looked at, also after one was found.
    const below = span.children.filter(visit).length > 0;
    if (below || test(span)) kept.add(id);
    return kept.has(id);
  };
  source.roots.forEach(visit);
  return kept;
}

function tester({ errors, text, kinds, task }: RowFilter): (span: Span) => boolean {
  const wanted = text === "" ? null : new RegExp(escaped(text), "i");
  return (span) =>
    (!errors || wentWrong(span)) &&
    (kinds.length === 0 || kinds.includes(span.kind)) &&
    (task === null || span.taskKey === task) &&
    (wanted === null ||
      [span.name, span.error, span.output, span.input].some((t) => wanted.test(t)));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The deepest span of the first step that failed: where to look for the cause. */
export function deepestFailure(source: SpanSource): string | null {
  let ids = inOrder(source);
  let found: string | null = null;
  for (;;) {
    const next = ids.find((id) => source.getSpan(id)?.state === "failed");
    if (next === undefined) return found;
    found = next;
    ids = source.getSpan(next)?.children ?? [];
  }
}

/** The spans at work now, from the task down to the innermost step; empty when none is. */
export function currentPath(source: SpanSource): string[] {
  const path: string[] = [];
  let ids = inOrder(source);
  for (;;) {
    const next = ids.findLast((id) => {
      const span = source.getSpan(id);
      return span !== undefined && isOpen(span) && span.kind !== "message";
    });
    if (next === undefined) return path;
    path.push(next);
    ids = source.getSpan(next)?.children ?? [];
  }
}
