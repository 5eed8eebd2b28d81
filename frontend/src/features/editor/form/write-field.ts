/** Writes one field of an agent or task into the text; all else stays byte for byte. */
import { isAlias, isMap, isSeq, type Node, type Pair, type YAMLMap } from "yaml";

import {
  camel,
  fieldOf,
  parse,
  wordOf,
  type KeyedPair,
  type Member,
  type Parsed,
} from "../model/document";

import { renderPair, renderValue, type FieldValue } from "./render";
import {
  afterColon,
  columnOf,
  contentEnd,
  endOfLine,
  endOfPair,
  isBlock,
  spliced,
  startOfLine,
  startOfNode,
  valueEnd,
  type Splice,
} from "./splice";

/** The text has something here that only a person can change, such as an alias. */
export class NotWritable extends Error {
  override readonly name = "NotWritable";
}

export function memberOf(parsed: Parsed, id: string): Member {
  const found = [...parsed.agents, ...parsed.tasks].find(
    (member) => `${member.kind}:${member.key}` === id,
  );
  if (!found) throw new NotWritable(`There is no ${id.replace(":", " ")} in the document.`);
  return found;
}

/** Sets a field, or takes it away when the value is undefined. */
export function withField(
  text: string,
  id: string,
  field: string,
  value: FieldValue | undefined,
): string {
  const parsed = parse(text);
  if (parsed.doc.errors.length > 0) throw new NotWritable("Mend the YAML first.");
  const member = memberOf(parsed, id);
  const splice = spliceFor(parsed, member, field, value);
  return splice ? sound(spliced(text, [splice])) : text;
}

function spliceFor(
  parsed: Parsed,
  member: Member,
  field: string,
  value: FieldValue | undefined,
): Splice | null {
  const { text } = parsed;
  const pair = fieldOf(member.body, field);
  if (!pair) return value === undefined ? null : added(parsed, member, field, value);
  const map = holderOf(member.body, pair);
  if (value === undefined) return removed(text, map, pair);
  const inner = field === "llm" ? modelInside(pair.value) : undefined;
  return inner ? replaced(text, inner.map, inner.pair, value) : replaced(text, map, pair, value);
}

/** In `llm: {model: x, temperature: 0}` only the name is changed. */
function modelInside(node: Node | null): { map: YAMLMap; pair: KeyedPair } | undefined {
  if (!isMap(node)) return undefined;
  const pair = fieldOf(node, "llm") ?? fieldOf(node, "name");
  return pair && { map: node, pair };
}

function holderOf(body: YAMLMap | null, pair: KeyedPair): YAMLMap {
  const maps = [body, ...(body?.items ?? []).map((item) => (item as Pair).value)];
  const holder = maps.find((map) => isMap(map) && (map.items as unknown[]).includes(pair));
  if (!isMap(holder)) throw new NotWritable("This field stands elsewhere in the document.");
  return holder;
}

function replaced(text: string, map: YAMLMap, pair: KeyedPair, value: FieldValue): Splice {
  const { key, value: before } = pair;
  const setting = { indent: columnOf(text, startOfNode(key)), flow: map.flow === true, before };
  const written = renderValue(asBefore(value, before), setting);
  if (!before || isAlias(before) || valueEnd(before) <= startOfNode(before)) {
    const from = afterColon(key, text);
    const to = isAlias(before) ? valueEnd(before) : from;
    return { from, to, put: written.startsWith("\n") ? written : ` ${written}` };
  }
  const from = startOfNode(before);
  const to = contentEnd(before, text);
  if (isSeq(before) && !before.flow) return { from, to, put: blockItems(text, from, written) };
  return commented(text, { from, to, put: written }, isBlock(before));
}

/** A comment behind the value, or behind the `|` of a block, stays on the first line of what is written. */
function commented(text: string, { from, to, put }: Splice, wasBlock: boolean): Splice {
  const [first = "", ...lines] = put.split("\n");
  const end = wasBlock ? to : endOfLine(text, to);
  const head = wasBlock ? text.slice(from, endOfLine(text, from)) : text.slice(to, end);
  const comment = /\s+#.*$/.exec(head)?.[0] ?? "";
  if (!comment || (!wasBlock && lines.length === 0)) return { from, to, put };
  return { from, to: end, put: [first + comment, ...lines].join("\n") };
}

/** A block list keeps its own indentation, whatever ours would be. */
function blockItems(text: string, from: number, written: string): string {
  const indent = " ".repeat(columnOf(text, from));
  return written.trim().replaceAll(/\n\s*(?=-)/g, `\n${indent}`);
}

/** A text that ended with a line break goes on doing so: `|` stays `|`. */
function asBefore(value: FieldValue, before: Node | null): FieldValue {
  if (typeof value !== "string") return value;
  const text = value.trimEnd();
  return text && wordOf(before)?.endsWith("\n") ? `${text}\n` : text;
}

function removed(text: string, map: YAMLMap, pair: KeyedPair): Splice {
  const from = startOfNode(pair.key);
  const items = map.items as Pair<Node, Node | null>[];
  const index = items.indexOf(pair as Pair<Node, Node | null>);
  const next = items[index + 1];
  const lineStart = startOfLine(text, from);
  const alone = text.slice(lineStart, from).trim() === "";
  if (map.flow || !alone) {
    if (next) return { from, to: startOfNode(next.key), put: "" };
    if (!map.flow) throw new NotWritable("Take this away in the YAML.");
    const before = items[index - 1];
    const end = endOfPair(pair, map, text);
    return { from: before ? endOfPair(before, map, text) : from, to: end, put: "" };
  }
  const to = Math.min(text.length, endOfLine(text, endOfPair(pair, map, text)) + 1);
  return { from: lineStart, to, put: "" };
}

function added(parsed: Parsed, member: Member, field: string, value: FieldValue): Splice {
  const { text } = parsed;
  const { body } = member;
  const key = spelled(parsed, field);
  if (!body) return addedToNothing(text, member, key, value);
  const flow = body.flow === true;
  const indent = columnOf(text, startOfNode(body));
  const pair = renderPair(key, asBefore(value, null), { indent, flow });
  const last = body.items.at(-1) as Pair | undefined;
  if (flow) {
    const at = last ? endOfPair(last, body, text) : startOfNode(body) + 1;
    return { from: at, to: at, put: last ? `, ${pair}` : pair };
  }
  const at = endOfLine(text, endOfPair(last, body, text));
  return { from: at, to: at, put: `\n${" ".repeat(indent)}${pair}` };
}

function addedToNothing(text: string, member: Member, key: string, value: FieldValue): Splice {
  if (member.named === "field") throw new NotWritable("Write this in the YAML.");
  const indent = columnOf(text, startOfNode(member.name)) + 2;
  const at = endOfLine(text, afterColon(member.name, text));
  const pair = renderPair(key, value, { indent, flow: false });
  return { from: at, to: at, put: `\n${" ".repeat(indent)}${pair}` };
}

/** In camelCase where the document's other keys are. */
export function spelled(parsed: Parsed, field: string): string {
  const keys = [...parsed.agents, ...parsed.tasks].flatMap((member) =>
    (member.body?.items ?? []).map((item) => wordOf((item as Pair<Node>).key) ?? ""),
  );
  const humps = keys.some((key) => /[a-z][A-Z]/.test(key));
  if (humps && field === "llm") return "model";
  return humps && !keys.some((key) => key.includes("_")) ? camel(field) : field;
}

/** What cannot be read any more is never handed on. */
export function sound(text: string): string {
  if (parse(text).doc.errors.length > 0) {
    throw new NotWritable("This cannot be written into the document as it stands. Use the YAML.");
  }
  return text;
}
