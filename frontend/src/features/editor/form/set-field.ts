import { isAlias, isMap, isSeq, type Node, type Pair, type YAMLMap } from "yaml";

import {
  findField,
  findWorkflowField,
  getText,
  memberId,
  parseWorkflow,
  toCamelCase,
  type KeyedPair,
  type Member,
  type ParsedWorkflow,
} from "../model/parse-workflow";

import { renderPair, renderValue, type FieldValue } from "./render-yaml";
import {
  applyEdits,
  getColonEnd,
  getColumn,
  getContentEnd,
  getLineEnd,
  getLineStart,
  getNodeEnd,
  getNodeStart,
  getPairEnd,
  isBlockScalar,
  type TextEdit,
} from "./text-edits";

/** The form cannot make this change; it has to be made in the YAML. */
export class UnsupportedEdit extends Error {
  override readonly name = "UnsupportedEdit";
}

/** Sets a field of an agent or task, or removes it when the value is undefined; the rest is unchanged. */
export function setField(
  text: string,
  id: string,
  field: string,
  value: FieldValue | undefined,
): string {
  const parsed = parseValid(text);
  const member = findMember(parsed, id);
  const pair = findField(member.body, field);
  const edit = pair
    ? createEdit(parsed, member.body, pair, field, value)
    : value !== undefined && addField(parsed, member, field, value);
  return edit ? assertValid(applyEdits(text, [edit])) : text;
}

/** Sets a field of the workflow itself, or removes it when the value is undefined. */
export function setWorkflowField(
  text: string,
  field: string,
  value: FieldValue | undefined,
): string {
  const parsed = parseValid(text);
  const { contents } = parsed.doc;
  if (!isMap(contents)) throw new UnsupportedEdit("Add this field in the YAML.");
  const pair = findWorkflowField(parsed.doc, field);
  const edit = pair
    ? createEdit(parsed, contents, pair, field, value)
    : value !== undefined && appendField(parsed, contents, field, value);
  return edit ? assertValid(applyEdits(text, [edit])) : text;
}

export function parseValid(text: string): ParsedWorkflow {
  const parsed = parseWorkflow(text);
  if (parsed.doc.errors.length > 0) throw new UnsupportedEdit("Fix the YAML errors first.");
  return parsed;
}

/** Returns a text that is valid YAML. Throws UnsupportedEdit when an edit has broken it. */
export function assertValid(text: string): string {
  if (parseWorkflow(text).doc.errors.length > 0) {
    throw new UnsupportedEdit("The form cannot make this change. Make it in the YAML.");
  }
  return text;
}

export function findMember(parsed: ParsedWorkflow, id: string): Member {
  const found = [...parsed.agents, ...parsed.tasks].find((member) => memberId(member) === id);
  if (!found) throw new UnsupportedEdit(`The document has no ${id.replace(":", " ")}.`);
  return found;
}

/** The spelling of a new key: camelCase if the document's other keys are. */
export function spellKey(parsed: ParsedWorkflow, field: string): string {
  const keys = [...parsed.agents, ...parsed.tasks].flatMap((member) =>
    (member.body?.items ?? []).map((item) => getText((item as Pair<Node>).key) ?? ""),
  );
  const hasCamelCase = keys.some((key) => /[a-z][A-Z]/.test(key));
  if (hasCamelCase && field === "llm") return "model";
  return hasCamelCase && !keys.some((key) => key.includes("_")) ? toCamelCase(field) : field;
}

function createEdit(
  { text }: ParsedWorkflow,
  body: YAMLMap | null,
  pair: KeyedPair,
  field: string,
  value: FieldValue | undefined,
): TextEdit {
  const map = findParent(body, pair);
  if (value === undefined) return removeField(text, map, pair);
  // In `llm: {model: x, temperature: 0}` only the name is replaced.
  const settings = field === "llm" && isMap(pair.value) ? pair.value : null;
  const name = findField(settings, "llm") ?? findField(settings, "name");
  return settings && name
    ? replaceValue(text, settings, name, value)
    : replaceValue(text, map, pair, value);
}

/** The mapping that contains a pair: the body itself, or `settings:` inside it. */
function findParent(body: YAMLMap | null, pair: KeyedPair): YAMLMap {
  const maps = [body, ...(body?.items ?? []).map((item) => (item as Pair).value)];
  const parent = maps.find((map) => isMap(map) && (map.items as unknown[]).includes(pair));
  if (!isMap(parent)) {
    throw new UnsupportedEdit("This field is defined elsewhere in the document. Edit the YAML.");
  }
  return parent;
}

function replaceValue(text: string, map: YAMLMap, pair: KeyedPair, value: FieldValue): TextEdit {
  const { key, value: before } = pair;
  const options = { indent: getColumn(text, getNodeStart(key)), flow: map.flow === true, before };
  const rendered = renderValue(keepFinalLineBreak(value, before), options);
  if (!before || isAlias(before) || getNodeEnd(before) <= getNodeStart(before)) {
    const from = getColonEnd(key, text);
    const to = isAlias(before) ? getNodeEnd(before) : from;
    return { from, to, insert: rendered.startsWith("\n") ? rendered : ` ${rendered}` };
  }
  const from = getNodeStart(before);
  const to = getContentEnd(before, text);
  if (isSeq(before) && !before.flow) {
    // A block list keeps its own indentation.
    const indent = " ".repeat(getColumn(text, from));
    return { from, to, insert: rendered.trim().replaceAll(/\n\s*(?=-)/g, `\n${indent}`) };
  }
  return keepComment(text, { from, to, insert: rendered }, isBlockScalar(before));
}

/** Keeps a comment after the value, or after the `|` of a block, on the first line of the new value. */
function keepComment(text: string, edit: TextEdit, wasBlock: boolean): TextEdit {
  const { from, to, insert } = edit;
  const [first = "", ...lines] = insert.split("\n");
  const end = wasBlock ? to : getLineEnd(text, to);
  const firstLine = wasBlock ? text.slice(from, getLineEnd(text, from)) : text.slice(to, end);
  const comment = /\s+#.*$/.exec(firstLine)?.[0] ?? "";
  if (!comment || (!wasBlock && lines.length === 0)) return edit;
  return { from, to: end, insert: [first + comment, ...lines].join("\n") };
}

/** A text that ended with a line break still does, so that `|` stays `|`. */
function keepFinalLineBreak(value: FieldValue, before: Node | null): FieldValue {
  if (typeof value !== "string") return value;
  const text = value.trimEnd();
  return text && getText(before)?.endsWith("\n") ? `${text}\n` : text;
}

function removeField(text: string, map: YAMLMap, pair: KeyedPair): TextEdit {
  const from = getNodeStart(pair.key);
  const items = map.items as Pair<Node, Node | null>[];
  const index = items.indexOf(pair as Pair<Node, Node | null>);
  const next = items[index + 1];
  const lineStart = getLineStart(text, from);
  const startsLine = text.slice(lineStart, from).trim() === "";
  if (map.flow || !startsLine) {
    if (next) return { from, to: getNodeStart(next.key), insert: "" };
    if (!map.flow) throw new UnsupportedEdit("Remove this field in the YAML.");
    const previous = items[index - 1];
    const end = getPairEnd(pair, map, text);
    return { from: previous ? getPairEnd(previous, map, text) : from, to: end, insert: "" };
  }
  const to = Math.min(text.length, getLineEnd(text, getPairEnd(pair, map, text)) + 1);
  return { from: lineStart, to, insert: "" };
}

function addField(
  parsed: ParsedWorkflow,
  member: Member,
  field: string,
  value: FieldValue,
): TextEdit {
  const { body } = member;
  if (body) return appendField(parsed, body, field, value);
  return addFirstField(parsed.text, member, spellKey(parsed, field), value);
}

/** Adds a field after the last one of a mapping. */
function appendField(
  parsed: ParsedWorkflow,
  body: YAMLMap,
  field: string,
  value: FieldValue,
): TextEdit {
  const { text } = parsed;
  const key = spellKey(parsed, field);
  const flow = body.flow === true;
  const indent = getColumn(text, getNodeStart(body));
  const pair = renderPair(key, keepFinalLineBreak(value, null), { indent, flow });
  const last = body.items.at(-1) as Pair | undefined;
  if (flow) {
    const at = last ? getPairEnd(last, body, text) : getNodeStart(body) + 1;
    return { from: at, to: at, insert: last ? `, ${pair}` : pair };
  }
  const at = getLineEnd(text, getPairEnd(last, body, text));
  return { from: at, to: at, insert: `\n${" ".repeat(indent)}${pair}` };
}

function addFirstField(text: string, member: Member, key: string, value: FieldValue): TextEdit {
  if (member.namedBy === "field") throw new UnsupportedEdit("Add this field in the YAML.");
  const indent = getColumn(text, getNodeStart(member.name)) + 2;
  const at = getLineEnd(text, getColonEnd(member.name, text));
  const pair = renderPair(key, value, { indent, flow: false });
  return { from: at, to: at, insert: `\n${" ".repeat(indent)}${pair}` };
}
