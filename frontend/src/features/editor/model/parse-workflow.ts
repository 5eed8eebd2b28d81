/** Parses a workflow document leniently: agents and tasks in mapping or list form, even with errors. */
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

/** An agent or a task of the document. */
export interface Member {
  kind: MemberKind;
  key: string;
  /** The node of its name. */
  name: Scalar;
  /** Its fields; null while it has none. */
  body: YAMLMap | null;
  /** Where the name is written: as the key, or in a `name` field (list form). */
  namedBy: "key" | "field";
  span: Span;
}

export interface ParsedWorkflow {
  text: string;
  doc: Document.Parsed;
  lines: LineCounter;
  agents: Member[];
  tasks: Member[];
}

/** Aliases of keys. They are needed before the schema has been fetched. */
const KEY_ALIASES: Record<string, string> = {
  model: "llm",
  manager_model: "manager_llm",
  knowledge_sources: "knowledge",
  output_pydantic: "output_json",
  response_model: "output_json",
};
/** Keys whose mapping counts as if it were at the top level. */
const WORKFLOW_WRAPPERS = ["crew", "workflow"];

export function parseWorkflow(text: string): ParsedWorkflow {
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    keepSourceTokens: true,
    merge: true,
  });
  return { text, doc, lines, agents: readMembers(doc, "agent"), tasks: readMembers(doc, "task") };
}

/** The id of an agent or task in the URL and the graph: `agent:writer`. */
export function memberId({ kind, key }: Pick<Member, "kind" | "key">): string {
  return `${kind}:${key}`;
}

/** The canonical spelling of a key: `allow_delegation` for `allowDelegation`, `llm` for `model`. */
export function canonicalKey(key: string): string {
  const snake = key.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return KEY_ALIASES[snake] ?? snake;
}

/** `allow_delegation` as `allowDelegation`. */
export function toCamelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export type KeyedPair = Pair<Scalar, Node | null>;

/** The pairs of a mapping that have scalar keys; mappings under `wrappers` are flattened into it. */
export function getPairs(map: YAMLMap | null, wrappers: string[] = []): KeyedPair[] {
  if (!map) return [];
  return (map.items as Pair[]).flatMap((pair) => {
    if (!isScalar(pair.key)) return [];
    const isWrapper = wrappers.includes(String(pair.key.value)) && isMap(pair.value);
    return isWrapper ? getPairs(pair.value as YAMLMap) : [pair as KeyedPair];
  });
}

/** A field of an agent or task, by its canonical key. */
export function findField(map: YAMLMap | null, name: string): KeyedPair | undefined {
  return getPairs(map, ["settings"]).find((pair) => canonicalKey(String(pair.key.value)) === name);
}

/** A field of the workflow, also inside `crew:` or `workflow:`. */
export function findWorkflowField(doc: Document, name: string): KeyedPair | undefined {
  const root = isMap(doc.contents) ? doc.contents : null;
  return getPairs(root, WORKFLOW_WRAPPERS).find(
    (pair) => canonicalKey(String(pair.key.value)) === name,
  );
}

export function getSpan(node: Node | null | undefined): Span {
  const range = node?.range;
  return range ? { from: range[0], to: range[1] } : { from: 0, to: 0 };
}

/** The value of a scalar node as text; undefined for null, mappings and lists. */
export function getText(node: Node | null | undefined): string | undefined {
  if (!isScalar(node) || node.value == null) return undefined;
  return typeof node.value === "object"
    ? undefined
    : String(node.value as string | number | boolean);
}

/** The scalar items of a list; a single scalar counts as a list of one. */
export function getItems(node: Node | null | undefined): Scalar[] {
  if (isSeq(node)) return node.items.filter((item): item is Scalar => isScalar(item));
  return isScalar(node) && node.value != null ? [node] : [];
}

export function getItemTexts(node: Node | null | undefined): string[] {
  return getItems(node).map((item) => String(item.value));
}

function readMembers(doc: Document, kind: MemberKind): Member[] {
  const value = findWorkflowField(doc, `${kind}s`)?.value;
  const node = isAlias(value) ? value.resolve(doc) : value;
  if (isMap(node)) return getPairs(node).map((pair) => readMappingMember(kind, pair));
  if (!isSeq(node)) return [];
  return node.items.flatMap((item) => (isMap(item) ? readListMember(kind, item) : []));
}

function readMappingMember(kind: MemberKind, { key, value }: KeyedPair): Member {
  const body = isMap(value) ? value : null;
  const to = Math.max(getSpan(key).to, value?.range?.[2] ?? 0);
  const span = { from: getSpan(key).from, to };
  return { kind, key: String(key.value), name: key, body, namedBy: "key", span };
}

function readListMember(kind: MemberKind, item: YAMLMap): Member[] {
  const name = getPairs(item).find((pair) => pair.key.value === "name")?.value;
  if (isScalar(name)) {
    const span = { from: getSpan(item).from, to: item.range?.[2] ?? 0 };
    return [{ kind, key: String(name.value), name, body: item, namedBy: "field", span }];
  }
  const [only] = getPairs(item);
  const isNamedByKey = only && item.items.length === 1 && isMap(only.value);
  return isNamedByKey ? [readMappingMember(kind, only)] : [];
}
