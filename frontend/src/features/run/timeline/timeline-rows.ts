import { isOpen, hasFailed, type Span, type SpanKind } from "../store/span";

export interface SpanSource {
  readonly roots: readonly string[];
  readonly getSpan: (id: string) => Span | undefined;
}

export interface RowFilter {
  /** Only spans that failed. */
  errors: boolean;
  text: string;
  /** Only these kinds; empty for all kinds. */
  kinds: readonly SpanKind[];
  /** Only spans of this task. */
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

export const NO_FILTER: RowFilter = { errors: false, text: "", kinds: [], task: null };

export function isFiltered(filter: RowFilter): boolean {
  return filter.errors || filter.text !== "" || filter.kinds.length > 0 || filter.task !== null;
}

/** The rows from top to bottom. A filter keeps the matching spans and their ancestors. */
export function buildRows(
  source: SpanSource,
  filter: RowFilter,
  collapsed: ReadonlySet<string>,
): Row[] {
  const matches = isFiltered(filter) ? findMatches(source, filter) : null;
  const rows: Row[] = [];
  const addRows = (ids: readonly string[], level: number, parent: string | null) => {
    const visible = matches ? ids.filter((id) => matches.has(id)) : ids;
    for (const [index, id] of visible.entries()) {
      const span = source.getSpan(id);
      if (!span) continue;
      const children = matches
        ? span.children.filter((child) => matches.has(child))
        : span.children;
      const expandable = children.length > 0;
      const expanded = expandable && !collapsed.has(id);
      const position = index + 1;
      const setSize = visible.length;
      rows.push({ id, level, position, setSize, parent, expandable, expanded });
      if (expanded) addRows(children, level + 1, id);
    }
  };
  addRows(sortedRoots(source), 1, null);
  return rows;
}

/** In order of start; spans that have not started come last. */
function sortedRoots({ roots, getSpan }: SpanSource): readonly string[] {
  const startOf = (id: string) => getSpan(id)?.startSeq || Number.MAX_SAFE_INTEGER;
  return roots.toSorted((a, b) => startOf(a) - startOf(b));
}

function findMatches(source: SpanSource, filter: RowFilter): Set<string> {
  const matches = new Set<string>();
  const isMatch = createMatcher(filter);
  const visit = (id: string): boolean => {
    const span = source.getSpan(id);
    if (!span) return false;
    // `filter` instead of `some`: every child must be visited.
    const hasMatchingChild = span.children.filter(visit).length > 0;
    if (hasMatchingChild || isMatch(span)) matches.add(id);
    return matches.has(id);
  };
  source.roots.forEach(visit);
  return matches;
}

function createMatcher({ errors, text, kinds, task }: RowFilter): (span: Span) => boolean {
  const pattern = text === "" ? null : new RegExp(escapeRegExp(text), "i");
  return (span) =>
    (!errors || hasFailed(span)) &&
    (kinds.length === 0 || kinds.includes(span.kind)) &&
    (task === null || span.taskKey === task) &&
    (pattern === null ||
      [span.name, span.error, span.output, span.input].some((value) => pattern.test(value)));
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Id of the deepest failed span of the first task that failed. */
export function findRootCause(source: SpanSource): string | null {
  let ids = sortedRoots(source);
  let cause: string | null = null;
  for (;;) {
    const next = ids.find((id) => source.getSpan(id)?.state === "failed");
    if (next === undefined) return cause;
    cause = next;
    ids = source.getSpan(next)?.children ?? [];
  }
}

/** Ids of the open spans from the current task down to the innermost step. */
export function findCurrentPath(source: SpanSource): string[] {
  const path: string[] = [];
  let ids = sortedRoots(source);
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
