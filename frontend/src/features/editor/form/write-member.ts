/** Adds, renames and takes away whole agents and tasks; all else stays byte for byte. */
import { isMap, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";

import {
  camel,
  crewField,
  fieldOf,
  itemsOf,
  parse,
  wordOf,
  type Member,
  type MemberKind,
  type Parsed,
} from "../model/document";

import { renderName, renderPair } from "./render";
import {
  columnOf,
  contentEnd,
  endOfLine,
  spliced,
  startOfLine,
  startOfNode,
  valueEnd,
  type Splice,
} from "./splice";
import { memberOf, NotWritable, sound, spelled, withField } from "./write-field";

export interface Written {
  text: string;
  /** The member that was meant, by the name it has now. */
  id: string;
}

/** Gives a member another name, wherever it is named. */
export function renamed(text: string, id: string, name: string): Written {
  const parsed = readable(text);
  const member = memberOf(parsed, id);
  const spots = [member.name, ...mentions(parsed, member)];
  const splices = spots.map<Splice>((node) => ({
    from: startOfNode(node),
    to: valueEnd(node),
    put: renderName(name, node),
  }));
  return { text: sound(spliced(text, splices)), id: `${member.kind}:${name}` };
}

/** Takes a member away; other tasks then no longer build on it. */
export function without(text: string, id: string): string {
  const parsed = readable(text);
  const member = memberOf(parsed, id);
  const unlinked = member.kind === "task" ? withoutContext(parsed, member.key) : text;
  const again = readable(unlinked);
  return sound(spliced(unlinked, [wholeLines(again, memberOf(again, id))]));
}

/** Adds an agent or a task with words to be replaced. */
export function withNew(text: string, kind: MemberKind): Written {
  const parsed = readable(text);
  const key = freeName(parsed, kind);
  const put = (section: Node | null) => addition(parsed, kind, key, section);
  const splice = put(crewField(parsed.doc, `${kind}s`)?.value ?? null);
  return { text: sound(spliced(text, [splice])), id: `${kind}:${key}` };
}

function readable(text: string): Parsed {
  const parsed = parse(text);
  if (parsed.doc.errors.length > 0) throw new NotWritable("Mend the YAML first.");
  return parsed;
}

function mentions({ doc, tasks }: Parsed, { kind, key }: Member): Node[] {
  const named: (Node | null | undefined)[] =
    kind === "agent"
      ? [...tasks.map((task) => fieldOf(task.body, "agent")?.value), manager(doc)]
      : tasks.flatMap((task) => itemsOf(fieldOf(task.body, "context")?.value));
  return named.filter((node): node is Node => wordOf(node) === key);
}

function manager(doc: Parsed["doc"]): Node | null | undefined {
  return crewField(doc, "manager_agent")?.value;
}

function withoutContext(parsed: Parsed, key: string): string {
  return parsed.tasks.reduce((text, task) => {
    const names = itemsOf(fieldOf(task.body, "context")?.value).map((item) => String(item.value));
    if (!names.includes(key)) return text;
    const rest = names.filter((name) => name !== key);
    return withField(text, `task:${task.key}`, "context", rest.length > 0 ? rest : undefined);
  }, parsed.text);
}

/** The lines of a member, with the blank lines behind it when others follow. */
function wholeLines(parsed: Parsed, member: Member): Splice {
  const { text } = parsed;
  const end = member.body ? contentEnd(member.body, text) : valueEnd(member.name);
  const start = startOfNode(member.name);
  const from = startOfLine(text, member.body ? Math.min(start, startOfNode(member.body)) : start);
  const head = text.slice(from, Math.min(start, member.body ? startOfNode(member.body) : start));
  if (!/^[\s-]*$/.test(head) || isInFlow(parsed, member)) {
    throw new NotWritable("This document is written on one line here: take it away in the YAML.");
  }
  const after = endOfLine(text, end) + 1;
  return {
    from,
    to: Math.min(text.length, after + behind(text.slice(after), head.length)),
    put: "",
  };
}

/** How much belongs to a member behind its last field: blank lines, and comments indented below it. */
function behind(rest: string, indent: number): number {
  const own = new RegExp(`^(?:[ \\t]*\\n|[ \\t]{${indent + 1},}#.*\\n)*`);
  return own.exec(rest)?.[0].length ?? 0;
}

function isInFlow({ doc }: Parsed, member: Member): boolean {
  const section = crewField(doc, `${member.kind}s`)?.value;
  return (isMap(section) || isSeq(section)) && section.flow === true;
}

function freeName({ agents, tasks }: Parsed, kind: MemberKind): string {
  const taken = new Set((kind === "agent" ? agents : tasks).map((member) => member.key));
  const base = `new_${kind}`;
  if (!taken.has(base)) return base;
  let number = 2;
  while (taken.has(`${base}_${number}`)) number += 1;
  return `${base}_${number}`;
}

function addition(parsed: Parsed, kind: MemberKind, key: string, section: Node | null): Splice {
  const { text } = parsed;
  const filled = (isMap(section) || isSeq(section)) && section.items.length > 0;
  if (!filled) return newSection(parsed, kind, key);
  if (section.flow)
    throw new NotWritable("This document is written on one line: add it in the YAML.");
  const at = endOfLine(text, contentEnd(section, text));
  const gap = gapBetween(parsed, kind) ? "\n\n" : "\n";
  return { from: at, to: at, put: gap + entry(parsed, kind, key, section) };
}

function entry(parsed: Parsed, kind: MemberKind, key: string, section: YAMLMap | YAMLSeq): string {
  const indent = columnOf(parsed.text, startOfNode(section));
  const spaces = " ".repeat(indent);
  if (isMap(section)) return `${spaces}${key}:\n${fields(parsed, kind, indent + 2)}`;
  const dashes = parsed.text[startOfNode(section)] === "-" ? indent : Math.max(0, indent - 2);
  return `${" ".repeat(dashes)}- name: ${key}\n${fields(parsed, kind, dashes + 2)}`;
}

function newSection(parsed: Parsed, kind: MemberKind, key: string): Splice {
  const { text } = parsed;
  const pair = crewField(parsed.doc, `${kind}s`);
  const body = `  ${key}:\n${fields(parsed, kind, 4)}\n`;
  if (pair) {
    const from = valueEnd(pair.key);
    const to = endOfLine(text, pair.value ? contentEnd(pair.value, text) : from);
    return { from, to, put: `:\n${body.trimEnd()}` };
  }
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  return { from: text.length, to: text.length, put: `${gap}${kind}s:\n${body}` };
}

function fields(parsed: Parsed, kind: MemberKind, indent: number): string {
  const words =
    kind === "agent"
      ? { role: "New agent", goal: "What it wants to reach", backstory: "Who it is" }
      : taskWords(parsed);
  const spelling = spelled(parsed, "expected_output") === camel("expected_output") ? camel : String;
  return Object.entries(words)
    .map(([name, value]) => {
      const pair = renderPair(spelling(name), value, { indent, flow: false });
      return `${" ".repeat(indent)}${pair}`;
    })
    .join("\n");
}

function taskWords({ agents }: Parsed): Record<string, string> {
  const [first] = agents;
  return {
    description: "What is to be done",
    expected_output: "What the result looks like",
    ...(first ? { agent: first.key } : {}),
  };
}

/** Whether members stand apart by a blank line. */
function gapBetween({ text, agents, tasks }: Parsed, kind: MemberKind): boolean {
  const members = kind === "agent" ? agents : tasks;
  const last = members.at(-1);
  if (!last || members.length < 2) return false;
  const start = startOfLine(text, last.span.from);
  return /\n[ \t]*\n(?:[ \t]*#.*\n)*$/.test(text.slice(0, start));
}
