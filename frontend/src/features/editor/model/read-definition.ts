import { isMap, isSeq, type Node } from "yaml";

import type { WorkflowDefinition } from "@/lib/api/types";

import {
  findField,
  findWorkflowField,
  getItemTexts,
  getText,
  type Member,
  type ParsedWorkflow,
} from "./parse-workflow";

type Agent = WorkflowDefinition["agents"][number];
type Task = WorkflowDefinition["tasks"][number];

/** Reads the parts of the definition that the graph shows; null while it cannot be drawn. */
export function readDefinition(parsed: ParsedWorkflow): WorkflowDefinition | null {
  const { doc, agents, tasks } = parsed;
  if (doc.errors.length > 0 || agents.length + tasks.length === 0) return null;
  const field = (name: string) => getText(findWorkflowField(doc, name)?.value);
  return {
    name: field("name") ?? "",
    process: field("process") === "hierarchical" ? "hierarchical" : "sequential",
    managerAgent: field("manager_agent") ?? null,
    agents: removeDuplicates(agents).map(readAgent),
    tasks: removeDuplicates(tasks).map(readTask),
    cache: false,
    memory: false,
    onWorkerLoss: "resume",
  };
}

function removeDuplicates(members: Member[]): Member[] {
  return members.filter(
    (member, index) => members.findIndex((one) => one.key === member.key) === index,
  );
}

function readAgent({ key, body }: Member): Agent {
  const text = (name: string) => getText(findField(body, name)?.value) ?? "";
  const model = readModelName(findField(body, "llm")?.value);
  return {
    key,
    role: text("role"),
    goal: text("goal"),
    backstory: text("backstory"),
    model: model ? { name: model } : null,
    tools: getItemTexts(findField(body, "tools")?.value),
    allowDelegation: text("allow_delegation") === "true",
    cache: true,
    injectDate: false,
    planning: false,
    verbose: false,
  };
}

function readTask({ key, body }: Member): Task {
  const text = (name: string) => getText(findField(body, name)?.value) ?? "";
  const context = findField(body, "context")?.value;
  return {
    key,
    description: text("description").trim(),
    expectedOutput: text("expected_output").trim(),
    agent: text("agent") || null,
    context: isSeq(context) ? getItemTexts(context) : null,
    asyncExecution: text("async_execution") === "true",
    humanInput: text("human_input") === "true",
    markdown: text("markdown") === "true",
  };
}

/** The name of a model, given alone or in a mapping with settings. */
export function readModelName(node: Node | null | undefined): string | undefined {
  if (isMap(node)) return getText(findField(node, "llm")?.value ?? findField(node, "name")?.value);
  return getText(node);
}
