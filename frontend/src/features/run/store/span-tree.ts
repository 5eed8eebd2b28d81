import type { Usage } from "@/lib/api/types";

import { isOpen, LONGEST_TEXT, type Draft, type Span, type SpanState } from "./span";
import { NO_USAGE, plus } from "./add-usage";

export const MOST_SPANS = 20_000;

type Beginning = Pick<Span, "id" | "kind" | "name"> & Partial<Omit<Draft, "children" | "order">>;

/** The spans of one run as they grow. What changed since the last look is in `dirty`. */
export class SpanTree {
  readonly spans = new Map<string, Draft>();
  readonly roots: string[] = [];
  readonly dirty = new Set<string>();
  /** Moves on when spans come, go or change their state: what lists of rows depend on. */
  structure = 0;
  /** How many of the oldest spans were let go. */
  cut = 0;
  private made = 0;
  private readonly most: number;

  constructor(most = MOST_SPANS) {
    this.most = most;
  }

  begin(given: Beginning): Draft {
    const known = this.spans.get(given.id);
    if (known) return known;
    const parent = given.parent == null ? undefined : this.spans.get(given.parent);
    const span: Draft = {
      ...EMPTY,
      ...given,
      parent: parent?.id ?? null,
      depth: parent ? parent.depth + 1 : 0,
      order: (this.made += 1),
      children: [],
    };
    this.spans.set(span.id, span);
    (parent?.children ?? this.roots).push(span.id);
    if (parent) this.dirty.add(parent.id);
    this.changed(span);
    return span;
  }

  get(id: string): Draft | undefined {
    return this.spans.get(id);
  }

  /** Changes a span in place; readers see it at the next publication. */
  set(span: Draft, change: Partial<Omit<Draft, "id" | "children">>): void {
    const state = change.state !== undefined && change.state !== span.state;
    Object.assign(span, change);
    if (span.output.length > LONGEST_TEXT) {
      span.output = span.output.slice(0, LONGEST_TEXT);
      span.cut = true;
    }
    if (state) this.changed(span);
    else this.dirty.add(span.id);
  }

  /** Adds usage to a span and to all that it is part of. */
  spend(span: Draft | undefined, usage: Usage): void {
    for (let one = span; one; one = this.parentOf(one)) {
      one.usage = plus(one.usage, usage);
      this.dirty.add(one.id);
    }
  }

  parentOf(span: Draft): Draft | undefined {
    return span.parent === null ? undefined : this.spans.get(span.parent);
  }

  childrenOf(span: Draft): Draft[] {
    return span.children.flatMap((id) => this.spans.get(id) ?? []);
  }

  /** Ends whatever is still open under a span, itself included. */
  closeAll(span: Draft, state: SpanState, at: number): void {
    for (const child of this.childrenOf(span)) this.closeAll(child, state, at);
    if (isOpen(span)) this.set(span, { state, finishedAt: at });
  }

  /** Turns the failures under a span that has passed into what they were: passed over. */
  forgive(span: Draft): void {
    for (const child of this.childrenOf(span)) {
      if (child.state === "failed") this.set(child, { state: "recovered" });
      this.forgive(child);
    }
  }

  /** A thing that has passed turns its earlier failures beside it amber. */
  outdo(span: Draft): void {
    const siblings = span.parent === null ? this.roots : (this.parentOf(span)?.children ?? []);
    for (let index = siblings.length - 1; index >= 0; index -= 1) {
      const other = this.spans.get(siblings[index] ?? "");
      if (!other || other === span || other.kind !== span.kind || other.name !== span.name)
        continue;
      if (other.state !== "failed") return;
      this.set(other, { state: "retried" });
      this.forgive(other);
    }
  }

  /** Lets the oldest ended leaves go when there are too many spans to show. */
  trim(): void {
    let surplus = this.spans.size - this.most;
    if (surplus <= 0) return;
    const gone = new Set<string>();
    for (const span of this.spans.values()) {
      if (surplus === 0) break;
      if (span.children.length > 0 || isOpen(span) || span.kind === "task") continue;
      gone.add(span.id);
      surplus -= 1;
    }
    this.remove(gone);
  }

  private remove(gone: ReadonlySet<string>): void {
    const thinned = new Set<Draft>();
    for (const id of gone) {
      const parent = this.spans.get(this.spans.get(id)?.parent ?? "");
      if (parent) thinned.add(parent);
      this.spans.delete(id);
      this.dirty.delete(id);
    }
    for (const parent of thinned) {
      parent.children = parent.children.filter((id) => !gone.has(id));
      this.dirty.add(parent.id);
    }
    const roots = this.roots.filter((id) => !gone.has(id));
    this.roots.splice(0, this.roots.length, ...roots);
    this.cut += gone.size;
    this.structure += 1;
  }

  private changed(span: Draft): void {
    this.dirty.add(span.id);
    this.structure += 1;
  }
}

const EMPTY: Omit<Draft, "id" | "kind" | "name" | "children" | "order"> = {
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
  gap: false,
  cut: false,
  error: "",
  failure: null,
  json: null,
  toolCalls: [],
  model: null,
  usage: NO_USAGE,
  startSeq: 0,
  endSeq: null,
  note: "",
  subject: "",
};
