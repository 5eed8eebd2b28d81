/** Adds, renames and deletes agents and tasks; the rest of the text is unchanged. */
import { isMap, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";

import {
  findField,
  findWorkflowField,
  getItems,
  getItemTexts,
  getText,
  memberId,
  toCamelCase,
  type Member,
  type MemberKind,
  type ParsedWorkflow,
} from "../model/parse-workflow";

import { renderPair, renderValue } from "./render-yaml";
import {
  assertValid,
  findMember,
  parseValid,
  setField,
  spellKey,
  UnsupportedEdit,
} from "./set-field";
import {
  applyEdits,
  getColumn,
  getContentEnd,
  getLineEnd,
  getLineStart,
  getNodeEnd,
  getNodeStart,
  type TextEdit,
} from "./text-edits";

export interface EditedMember {
  text: string;
  /** The id of the added or renamed member. */
  id: string;
}

/** Renames an agent or task and every reference to it. */
export function renameMember(text: string, id: string, name: string): EditedMember {
  const parsed = parseValid(text);
  const member = findMember(parsed, id);
  const nodes = [member.name, ...findReferences(parsed, member)];
  const edits = nodes.map<TextEdit>((node) => ({
    from: getNodeStart(node),
    to: getNodeEnd(node),
    insert: renderValue(name, { indent: 0, flow: true, before: node }),
  }));
  return {
    text: assertValid(applyEdits(text, edits)),
    id: memberId({ kind: member.kind, key: name }),
  };
}

/** Deletes an agent or task; a deleted task is also removed from the context of other tasks. */
export function deleteMember(text: string, id: string): string {
  const parsed = parseValid(text);
  const member = findMember(parsed, id);
  const unlinked = member.kind === "task" ? removeFromContexts(parsed, member.key) : text;
  const reparsed = parseValid(unlinked);
  return assertValid(applyEdits(unlinked, [createDeletion(reparsed, findMember(reparsed, id))]));
}

/** Adds an agent or task with placeholder texts. */
export function addMember(text: string, kind: MemberKind): EditedMember {
  const parsed = parseValid(text);
  const key = chooseName(parsed, kind);
  const section = findWorkflowField(parsed.doc, `${kind}s`)?.value ?? null;
  const edit = createAddition(parsed, kind, key, section);
  return { text: assertValid(applyEdits(text, [edit])), id: memberId({ kind, key }) };
}

function findReferences({ doc, tasks }: ParsedWorkflow, { kind, key }: Member): Node[] {
  const nodes: (Node | null | undefined)[] =
    kind === "agent"
      ? [
          ...tasks.map((task) => findField(task.body, "agent")?.value),
          findWorkflowField(doc, "manager_agent")?.value,
        ]
      : tasks.flatMap((task) => getItems(findField(task.body, "context")?.value));
  return nodes.filter((node): node is Node => getText(node) === key);
}

function removeFromContexts(parsed: ParsedWorkflow, key: string): string {
  return parsed.tasks.reduce((text, task) => {
    const names = getItemTexts(findField(task.body, "context")?.value);
    if (!names.includes(key)) return text;
    const rest = names.filter((name) => name !== key);
    return setField(text, memberId(task), "context", rest.length > 0 ? rest : undefined);
  }, parsed.text);
}

/** Removes the lines of a member, and the blank lines after it when others follow. */
function createDeletion(parsed: ParsedWorkflow, member: Member): TextEdit {
  const { text } = parsed;
  const end = member.body ? getContentEnd(member.body, text) : getNodeEnd(member.name);
  const nameStart = getNodeStart(member.name);
  const start = member.body ? Math.min(nameStart, getNodeStart(member.body)) : nameStart;
  const from = getLineStart(text, start);
  const indent = text.slice(from, start);
  if (!/^[\s-]*$/.test(indent) || isFlowSection(parsed, member.kind)) {
    throw new UnsupportedEdit(
      `This ${member.kind} shares a line with others. Delete it in the YAML.`,
    );
  }
  const after = getLineEnd(text, end) + 1;
  // Comments indented deeper than the member belong to it.
  const trailing = new RegExp(`^(?:[ \\t]*\\n|[ \\t]{${indent.length + 1},}#.*\\n)*`);
  const trailingLength = trailing.exec(text.slice(after))?.[0].length ?? 0;
  return { from, to: Math.min(text.length, after + trailingLength), insert: "" };
}

function isFlowSection({ doc }: ParsedWorkflow, kind: MemberKind): boolean {
  const section = findWorkflowField(doc, `${kind}s`)?.value;
  return (isMap(section) || isSeq(section)) && section.flow === true;
}

function chooseName({ agents, tasks }: ParsedWorkflow, kind: MemberKind): string {
  const taken = new Set((kind === "agent" ? agents : tasks).map((member) => member.key));
  const base = `new_${kind}`;
  if (!taken.has(base)) return base;
  let number = 2;
  while (taken.has(`${base}_${number}`)) number += 1;
  return `${base}_${number}`;
}

function createAddition(
  parsed: ParsedWorkflow,
  kind: MemberKind,
  key: string,
  section: Node | null,
): TextEdit {
  const { text } = parsed;
  const hasMembers = (isMap(section) || isSeq(section)) && section.items.length > 0;
  if (!hasMembers) return createSection(parsed, kind, key);
  if (section.flow) {
    throw new UnsupportedEdit(`The ${kind}s are written on one line. Add a ${kind} in the YAML.`);
  }
  const at = getLineEnd(text, getContentEnd(section, text));
  const gap = areSeparatedByBlankLines(parsed, kind) ? "\n\n" : "\n";
  return { from: at, to: at, insert: gap + renderMember(parsed, kind, key, section) };
}

function renderMember(
  parsed: ParsedWorkflow,
  kind: MemberKind,
  key: string,
  section: YAMLMap | YAMLSeq,
): string {
  const indent = getColumn(parsed.text, getNodeStart(section));
  if (isMap(section)) {
    return `${" ".repeat(indent)}${key}:\n${renderFields(parsed, kind, indent + 2)}`;
  }
  const isAtDash = parsed.text[getNodeStart(section)] === "-";
  const dashColumn = isAtDash ? indent : Math.max(0, indent - 2);
  const fields = renderFields(parsed, kind, dashColumn + 2);
  return `${" ".repeat(dashColumn)}- name: ${key}\n${fields}`;
}

function createSection(parsed: ParsedWorkflow, kind: MemberKind, key: string): TextEdit {
  const { text } = parsed;
  const pair = findWorkflowField(parsed.doc, `${kind}s`);
  const body = `  ${key}:\n${renderFields(parsed, kind, 4)}\n`;
  if (pair) {
    const from = getNodeEnd(pair.key);
    const to = getLineEnd(text, pair.value ? getContentEnd(pair.value, text) : from);
    return { from, to, insert: `:\n${body.trimEnd()}` };
  }
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  return { from: text.length, to: text.length, insert: `${gap}${kind}s:\n${body}` };
}

function renderFields(parsed: ParsedWorkflow, kind: MemberKind, indent: number): string {
  const isCamelCase = spellKey(parsed, "expected_output") === toCamelCase("expected_output");
  return Object.entries(kind === "agent" ? NEW_AGENT : createNewTask(parsed))
    .map(([name, value]) => {
      const key = isCamelCase ? toCamelCase(name) : name;
      return `${" ".repeat(indent)}${renderPair(key, value, { indent, flow: false })}`;
    })
    .join("\n");
}

const NEW_AGENT = {
  role: "New agent",
  goal: "What the agent should achieve",
  backstory: "Who the agent is",
};

function createNewTask({ agents }: ParsedWorkflow): Record<string, string> {
  const [first] = agents;
  return {
    description: "What to do",
    expected_output: "What the result should look like",
    ...(first ? { agent: first.key } : {}),
  };
}

function areSeparatedByBlankLines(
  { text, agents, tasks }: ParsedWorkflow,
  kind: MemberKind,
): boolean {
  const members = kind === "agent" ? agents : tasks;
  const last = members.at(-1);
  if (!last || members.length < 2) return false;
  const start = getLineStart(text, last.span.from);
  return /\n[ \t]*\n(?:[ \t]*#.*\n)*$/.test(text.slice(0, start));
}
