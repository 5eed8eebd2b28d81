/** What no schema can say: who names whom, and in which order. Words and slugs are the server's. */
import type { Scalar } from "yaml";

import {
  crewField,
  fieldOf,
  itemsOf,
  spanOf,
  wordOf,
  type Member,
  type Parsed,
  type Span,
} from "./document";
import { nearest } from "./nearest";
import type { EditorProblem } from "./problems";

type Report = (span: Span, code: string, message: string, suggestion?: string) => EditorProblem;

export function crossProblems(parsed: Parsed): EditorProblem[] {
  const error = reporter(parsed, "error");
  const warning = reporter(parsed, "warning");
  return [
    ...parsed.tasks.flatMap((task) => agentProblems(parsed, task, error)),
    ...parsed.tasks.flatMap((task) => contextProblems(parsed, task, error)),
    ...managerProblems(parsed, error),
    ...unusedAgents(parsed, warning),
  ];
}

function reporter({ lines }: Parsed, severity: EditorProblem["severity"]): Report {
  return (span, code, message, suggestion) => ({
    ...span,
    line: lines.linePos(span.from).line,
    code,
    message,
    severity,
    suggestion,
    source: "browser",
  });
}

function isHierarchical({ doc }: Parsed): boolean {
  return wordOf(crewField(doc, "process")?.value) === "hierarchical";
}

function agentProblems(parsed: Parsed, task: Member, error: Report): EditorProblem[] {
  const field = fieldOf(task.body, "agent");
  const name = wordOf(field?.value);
  if (name !== undefined) return unknownAgent(parsed, name, spanOf(field?.value), error);
  if (!task.body || isHierarchical(parsed)) return [];
  const message = `\`agent\` is missing: nobody does \`${task.key}\`. Name an agent.`;
  return [error(spanOf(task.name), "missing-field", message)];
}

function managerProblems(parsed: Parsed, error: Report): EditorProblem[] {
  const field = crewField(parsed.doc, "manager_agent");
  const name = wordOf(field?.value);
  return name === undefined ? [] : unknownAgent(parsed, name, spanOf(field?.value), error);
}

function unknownAgent(
  { agents }: Parsed,
  name: string,
  span: Span,
  error: Report,
): EditorProblem[] {
  const known = agents.map((agent) => agent.key);
  if (known.length === 0 || known.includes(name)) return [];
  const near = nearest(name, known);
  return [error(span, "unknown-agent", `There is no agent \`${name}\`.${meant(near)}`, near)];
}

function contextProblems({ tasks }: Parsed, task: Member, error: Report): EditorProblem[] {
  const keys = tasks.map((one) => one.key);
  const here = tasks.indexOf(task);
  return itemsOf(fieldOf(task.body, "context")?.value).flatMap((item) => {
    const problem = contextProblem(item, task, keys, here);
    return problem ? [error(spanOf(item), ...problem)] : [];
  });
}

function contextProblem(
  item: Scalar,
  task: Member,
  keys: string[],
  here: number,
): [code: string, message: string, suggestion?: string] | null {
  const name = String(item.value);
  if (name === task.key) {
    return ["context-itself", `\`${name}\` cannot build on its own result. Remove it here.`];
  }
  const there = keys.indexOf(name);
  if (there === -1) {
    const near = nearest(name, keys);
    return ["unknown-context", `There is no task \`${name}\`.${meant(near)}`, near];
  }
  if (there < here) return null;
  const message = `\`${name}\` comes later, and a task builds on earlier ones. Move \`${task.key}\` below it.`;
  return ["context-later", message];
}

function unusedAgents(parsed: Parsed, warning: Report): EditorProblem[] {
  const { doc, agents, tasks } = parsed;
  if (isHierarchical(parsed) || agents.some(delegates)) return [];
  const used = new Set(tasks.map((task) => wordOf(fieldOf(task.body, "agent")?.value)));
  used.add(wordOf(crewField(doc, "manager_agent")?.value));
  return agents
    .filter((agent) => !used.has(agent.key))
    .map((agent) => {
      const message = `No task names the agent \`${agent.key}\`. Give it a task, or remove it.`;
      return warning(spanOf(agent.name), "unused-agent", message);
    });
}

function delegates(agent: Member): boolean {
  return wordOf(fieldOf(agent.body, "allow_delegation")?.value) === "true";
}

function meant(near: string | undefined): string {
  return near ? ` Did you mean \`${near}\`?` : "";
}
