/** What a text means as far as it can be told here: enough to draw it while it is being written. */
import { isMap, isSeq, type Node } from "yaml";

import type { WorkflowDefinition } from "@/lib/api/types";

import { crewField, fieldOf, itemsOf, wordOf, type Member, type Parsed } from "./document";

type Agent = WorkflowDefinition["agents"][number];
type Task = WorkflowDefinition["tasks"][number];

/** Null while there is nothing to draw: the text is no YAML, or holds neither agents nor tasks. */
export function definitionOf(parsed: Parsed): WorkflowDefinition | null {
  const { doc, agents, tasks } = parsed;
  if (doc.errors.length > 0 || agents.length + tasks.length === 0) return null;
  const crew = (name: string) => wordOf(crewField(doc, name)?.value);
  return {
    name: crew("name") ?? "",
    process: crew("process") === "hierarchical" ? "hierarchical" : "sequential",
    managerAgent: crew("manager_agent") ?? null,
    agents: once(agents).map(agentOf),
    tasks: once(tasks).map(taskOf),
    cache: false,
    memory: false,
    onWorkerLoss: "resume",
  };
}

function once(members: Member[]): Member[] {
  return members.filter(
    (member, index) => members.findIndex((one) => one.key === member.key) === index,
  );
}

function agentOf({ key, body }: Member): Agent {
  const word = (name: string) => wordOf(fieldOf(body, name)?.value) ?? "";
  const model = modelOf(fieldOf(body, "llm")?.value);
  return {
    key,
    role: word("role"),
    goal: word("goal"),
    backstory: word("backstory"),
    model: model ? { name: model } : null,
    tools: itemsOf(fieldOf(body, "tools")?.value).map((item) => String(item.value)),
    allowDelegation: word("allow_delegation") === "true",
    cache: true,
    injectDate: false,
    planning: false,
    verbose: false,
  };
}

function taskOf({ key, body }: Member): Task {
  const word = (name: string) => wordOf(fieldOf(body, name)?.value) ?? "";
  const context = fieldOf(body, "context")?.value;
  return {
    key,
    description: word("description").trim(),
    expectedOutput: word("expected_output").trim(),
    agent: word("agent") || null,
    context: isSeq(context) ? itemsOf(context).map((item) => String(item.value)) : null,
    asyncExecution: word("async_execution") === "true",
    humanInput: word("human_input") === "true",
    markdown: word("markdown") === "true",
  };
}

/** The name of a model, alone or in a mapping with settings. */
export function modelOf(node: Node | null | undefined): string | undefined {
  if (isMap(node)) return wordOf(fieldOf(node, "llm")?.value ?? fieldOf(node, "name")?.value);
  return wordOf(node);
}
