import type { Usage } from "@/lib/api/types";

import { addUsage, NO_USAGE } from "./add-usage";
import { isOpen, MAX_TEXT_LENGTH, type MutableSpan, type Span, type SpanState } from "./span";

export const MAX_SPANS = 20_000;

type NewSpan = Pick<Span, "id" | "kind" | "name"> &
  Partial<Omit<MutableSpan, "children" | "order">>;

/**
 * The spans of one run. Spans are changed in place; `dirty` collects the ids changed since it was
 * last cleared.
 */
export class SpanTree {
  readonly spans = new Map<string, MutableSpan>();
  readonly roots: string[] = [];
  readonly dirty = new Set<string>();
  /** Increases when spans are added, removed or change state. */
  structureVersion = 0;
  /** Number of spans removed by `trim`. */
  droppedSpans = 0;
  private createdSpans = 0;
  private readonly maxSpans: number;

  constructor(maxSpans = MAX_SPANS) {
    this.maxSpans = maxSpans;
  }

  /** Returns the span with this id, creating it if needed. */
  getOrCreate(fields: NewSpan): MutableSpan {
    const existing = this.spans.get(fields.id);
    if (existing) return existing;
    const parent = fields.parent == null ? undefined : this.spans.get(fields.parent);
    const span: MutableSpan = {
      ...EMPTY_SPAN,
      ...fields,
      parent: parent?.id ?? null,
      depth: parent ? parent.depth + 1 : 0,
      order: (this.createdSpans += 1),
      children: [],
    };
    this.spans.set(span.id, span);
    (parent?.children ?? this.roots).push(span.id);
    if (parent) this.dirty.add(parent.id);
    this.dirty.add(span.id);
    this.structureVersion += 1;
    return span;
  }

  get(id: string): MutableSpan | undefined {
    return this.spans.get(id);
  }

  update(span: MutableSpan, change: Partial<Omit<MutableSpan, "id" | "children">>): void {
    if (change.state !== undefined && change.state !== span.state) this.structureVersion += 1;
    Object.assign(span, change);
    if (span.output.length > MAX_TEXT_LENGTH) {
      span.output = span.output.slice(0, MAX_TEXT_LENGTH);
      span.isTruncated = true;
    }
    this.dirty.add(span.id);
  }

  /** Adds usage to a span and all its ancestors. */
  addUsage(span: MutableSpan | undefined, usage: Usage): void {
    for (let current = span; current; current = this.parentOf(current)) {
      current.usage = addUsage(current.usage, usage);
      this.dirty.add(current.id);
    }
  }

  childrenOf(span: MutableSpan): MutableSpan[] {
    return span.children.flatMap((id) => this.spans.get(id) ?? []);
  }

  /** Ends a span and its descendants, as far as they are open. */
  closeAll(span: MutableSpan, state: SpanState, at: number): void {
    for (const child of this.childrenOf(span)) this.closeAll(child, state, at);
    if (isOpen(span)) this.update(span, { state, finishedAt: at });
  }

  /** Marks failures below a successful span as recovered. */
  markRecovered(span: MutableSpan): void {
    for (const child of this.childrenOf(span)) {
      if (child.state === "failed") this.update(child, { state: "recovered" });
      this.markRecovered(child);
    }
  }

  /** Marks the failed tries that precede a successful span as retried. */
  markRetried(span: MutableSpan): void {
    const siblings = span.parent === null ? this.roots : (this.parentOf(span)?.children ?? []);
    for (let index = siblings.length - 1; index >= 0; index -= 1) {
      const other = this.spans.get(siblings[index] ?? "");
      if (!other || other === span || other.kind !== span.kind || other.name !== span.name)
        continue;
      if (other.state !== "failed") return;
      this.update(other, { state: "retried" });
      this.markRecovered(other);
    }
  }

  /** Removes the oldest ended leaves above the span limit. */
  trim(): void {
    let surplus = this.spans.size - this.maxSpans;
    if (surplus <= 0) return;
    const removed = new Set<string>();
    for (const span of this.spans.values()) {
      if (surplus === 0) break;
      if (span.children.length > 0 || isOpen(span) || span.kind === "task") continue;
      removed.add(span.id);
      surplus -= 1;
    }
    this.remove(removed);
  }

  private parentOf(span: MutableSpan): MutableSpan | undefined {
    return span.parent === null ? undefined : this.spans.get(span.parent);
  }

  private remove(ids: ReadonlySet<string>): void {
    const parents = new Set<MutableSpan>();
    for (const id of ids) {
      const parent = this.spans.get(this.spans.get(id)?.parent ?? "");
      if (parent) parents.add(parent);
      this.spans.delete(id);
      this.dirty.delete(id);
    }
    for (const parent of parents) {
      parent.children = parent.children.filter((id) => !ids.has(id));
      this.dirty.add(parent.id);
    }
    const roots = this.roots.filter((id) => !ids.has(id));
    this.roots.splice(0, this.roots.length, ...roots);
    this.droppedSpans += ids.size;
    this.structureVersion += 1;
  }
}

const EMPTY_SPAN: Omit<MutableSpan, "id" | "kind" | "name" | "children" | "order"> = {
  parent: null,
  depth: 0,
  state: "running",
  taskKey: null,
  agent: null,
  attempt: 1,
  startedAt: null,
  finishedAt: null,
  durationMs: null,
  input: "",
  output: "",
  hasGap: false,
  isTruncated: false,
  error: "",
  failure: null,
  json: null,
  toolCalls: [],
  usage: NO_USAGE,
  startSeq: 0,
  endSeq: null,
  note: "",
};
