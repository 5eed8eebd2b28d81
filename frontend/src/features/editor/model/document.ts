/** Reads the text of a workflow loosely: what stands where, in either spelling, even while parts are wrong. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from "yaml";

export interface Span {
  from: number;
  to: number;
}

export type MemberKind = "agent" | "task";

/** One agent or task as it stands in the text. */
export interface Member {
  kind: MemberKind;
  key: string;
  /** Where its name is written. */
  name: Scalar;
  /** Its fields; absent while there are none. */
  body: YAMLMap | null;
  /** `name: x` among its fields (the list form), or `x:` above them. */
  named: "key" | "field";
  span: Span;
}

export interface Parsed {
  text: string;
  doc: Document.Parsed;
  lines: LineCounter;
  agents: Member[];
  tasks: Member[];
}

/** Names that mean the same key. */
const SAME: Record<string, string> = {
  model: "llm",
  manager_model: "manager_llm",
  knowledge_sources: "knowledge",
  output_pydantic: "output_json",
  response_model: "output_json",
  timeout_seconds: "timeout_seconds",
};
const FOLDED = ["crew", "workflow"];

export function parse(text: string): Parsed {
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    keepSourceTokens: true,
    merge: true,
  });
  return { text, doc, lines, agents: members(doc, "agent"), tasks: members(doc, "task") };
}

/** The one name of a key, whatever it is spelled like: `allowDelegation` and `allow_delegation`. */
export function canonical(key: string): string {
  const snake = key.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return SAME[snake] ?? snake;
}

/** `allow_delegation` as `allowDelegation`. */
export function camel(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export type KeyedPair = Pair<Scalar, Node | null>;

/** The pairs of a mapping whose keys are words, with what `settings:` or `crew:` hold among them. */
export function pairsOf(map: YAMLMap | null, folded: string[] = []): KeyedPair[] {
  if (!map) return [];
  return (map.items as Pair[]).flatMap((pair) => {
    if (!isScalar(pair.key)) return [];
    const inside = folded.includes(String(pair.key.value)) && isMap(pair.value);
    return inside ? pairsOf(pair.value as YAMLMap) : [pair as KeyedPair];
  });
}

/** A field by its canonical name. */
export function fieldOf(map: YAMLMap | null, name: string): KeyedPair | undefined {
  return pairsOf(map, ["settings"]).find((pair) => canonical(String(pair.key.value)) === name);
}

/** A field of the workflow itself, also inside `crew:` or `workflow:`. */
export function crewField(doc: Document, name: string): KeyedPair | undefined {
  const root = isMap(doc.contents) ? doc.contents : null;
  return pairsOf(root, FOLDED).find((pair) => canonical(String(pair.key.value)) === name);
}

export function spanOf(node: Node | null | undefined): Span {
  const range = node?.range;
  return range ? { from: range[0], to: range[1] } : { from: 0, to: 0 };
}

/** The value of a node as plain text; undefined for what is no text, number or flag. */
export function wordOf(node: Node | null | undefined): string | undefined {
  if (!isScalar(node) || node.value == null) return undefined;
  return typeof node.value === "object"
    ? undefined
    : String(node.value as string | number | boolean);
}

/** The scalar items of a list, or a single value as a list of one. */
export function itemsOf(node: Node | null | undefined): Scalar[] {
  if (isSeq(node)) return node.items.filter((item): item is Scalar => isScalar(item));
  return isScalar(node) && node.value != null ? [node] : [];
}

function members(doc: Document, kind: MemberKind): Member[] {
  const value = crewField(doc, `${kind}s`)?.value;
  const node = isAlias(value) ? value.resolve(doc) : value;
  if (isMap(node)) return pairsOf(node).map((pair) => fromPair(kind, pair));
  if (!isSeq(node)) return [];
  return node.items.flatMap((item) => (isMap(item) ? fromItem(kind, item) : []));
}

function fromPair(kind: MemberKind, { key, value }: KeyedPair): Member {
  const body = isMap(value) ? value : null;
  const to = Math.max(spanOf(key).to, value?.range?.[2] ?? 0);
  const span = { from: spanOf(key).from, to };
  return { kind, key: String(key.value), name: key, body, named: "key", span };
}

function fromItem(kind: MemberKind, item: YAMLMap): Member[] {
  const named = pairsOf(item).find((pair) => pair.key.value === "name")?.value;
  if (isScalar(named)) {
    const span = { from: spanOf(item).from, to: item.range?.[2] ?? 0 };
    return [{ kind, key: String(named.value), name: named, body: item, named: "field", span }];
  }
  const [only] = pairsOf(item);
  return only && item.items.length === 1 && isMap(only.value) ? [fromPair(kind, only)] : [];
}
