import { describe, expect, it } from "vitest";

import { complete } from "./complete";
import { wordsAt } from "./hover";
import type { SchemaNode } from "./schema-walk";

/** Built as the server builds its own: both spellings of keys, mapping or list, open to null. */
const text = (description: string): SchemaNode => ({ description, type: "string" });
const open = (description: string, node: SchemaNode): SchemaNode => ({
  description,
  anyOf: [node, { type: "null" }],
});
const agent: SchemaNode = {
  type: "object",
  properties: {
    role: text("What the agent is."),
    goal: text("What it wants."),
    llm: open("A registered model.", {
      anyOf: [
        { type: "string" },
        { type: "object", properties: { model: text("m"), temperature: { type: "number" } } },
      ],
    }),
    model: open("A registered model.", { type: "string" }),
    tools: open("Tools.", { type: "array", items: { type: "string" } }),
    max_iter: open("Steps.", { type: "integer" }),
    maxIter: open("Steps.", { type: "integer" }),
    verbose: open("Talks.", { type: "boolean" }),
    settings: { type: "object", description: "folded" },
  },
  allOf: [{ anyOf: [{ required: ["role"] }] }, { anyOf: [{ required: ["goal"] }] }],
};
const task: SchemaNode = {
  type: "object",
  properties: {
    description: text("What is to be done."),
    agent: open("The agent that does it.", { type: "string" }),
    context: open("Earlier tasks.", { type: "array", items: { type: "string" } }),
    tool_failure_policy: open("Policy.", { type: "string", enum: ["ignore", "warn"] }),
    toolFailurePolicy: open("Policy.", { type: "string", enum: ["ignore", "warn"] }),
  },
  allOf: [{ anyOf: [{ required: ["description"] }] }],
};
// oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
const THEN = "then";
const both = (one: string, named: string): SchemaNode => ({
  [THEN]: {
    type: "array",
    items: {
      [THEN]: { $ref: `#/$defs/${named}` },
      else: { type: "object", additionalProperties: { $ref: `#/$defs/${one}` } },
    },
  },
  else: { type: "object", additionalProperties: { $ref: `#/$defs/${one}` } },
});
const schema: SchemaNode = {
  type: "object",
  properties: {
    name: open("Called.", { type: "string" }),
    agents: { description: "Who works.", $ref: "#/$defs/agents" },
    tasks: { description: "What is done.", $ref: "#/$defs/tasks" },
    process: open("How.", { type: "string", enum: ["sequential", "hierarchical"] }),
    manager_agent: open("Manages.", { type: "string" }),
    embedder: open("Embeds.", { type: "string" }),
    crew: { $ref: "#/$defs/agents" },
  },
  anyOf: [{ required: ["agents", "tasks"] }, { required: ["crew"] }],
  $defs: {
    agent,
    task,
    namedAgent: {
      ...agent,
      properties: { name: text("Its name."), ...agent.properties },
      required: ["name"],
    },
    namedTask: {
      ...task,
      properties: { name: text("Its name."), ...task.properties },
      required: ["name"],
    },
    agents: both("agent", "namedAgent"),
    tasks: both("task", "namedTask"),
  },
};
const known = { models: ["gpt", "local"], embedders: ["embed"], tools: ["calculator", "wait"] };
const DOC =
  "agents:\n  finder:\n    role: F\n  writer:\n    role: W\ntasks:\n  find:\n    description: d\n  draft:\n    description: d\n";

function at(marked: string) {
  const position = marked.indexOf("^");
  return complete(marked.replace("^", ""), position, schema, known);
}
const labels = (marked: string) =>
  at(marked)
    ?.choices.toSorted((a, b) => b.boost - a.boost)
    .map((choice) => choice.label) ?? [];

const over = (marked: string) => wordsAt(marked.replace("^", ""), marked.indexOf("^"), schema);

describe("completion", () => {
  it("offers keys that are not there yet, required ones first", () => {
    expect(labels("agents:\n  a:\n    role: x\n    ^\n")).toEqual([
      "goal",
      "llm",
      "tools",
      "max_iter",
      "verbose",
    ]);
    expect(labels("name: x\n^")).toEqual([
      "agents",
      "tasks",
      "process",
      "manager_agent",
      "embedder",
    ]);
  });

  it("says what a key is for, and writes its colon unless it has one", () => {
    expect(at("agents:\n  a:\n    ro^\n")?.choices.find((one) => one.label === "role")).toEqual({
      label: "role",
      apply: "role: ",
      detail: "required",
      info: "What the agent is.",
      kind: "property",
      boost: 2,
    });
    expect(
      at("agents:\n  a:\n    ro^: x\n")?.choices.find((one) => one.label === "role")?.apply,
    ).toBe("role");
    expect(at("ag^")?.choices.find((one) => one.label === "agents")?.apply).toBe("agents:");
  });

  it("takes another spelling of a key for the key", () => {
    expect(labels("agents:\n  a:\n    model: x\n    ^\n")).not.toContain("llm");
  });

  it("spells as the document does", () => {
    expect(labels("agents:\n  - name: a\n    maxIter: 3\n    ^\n")).toEqual([
      "role",
      "goal",
      "model",
      "tools",
      "verbose",
    ]);
  });

  it("offers name first in the list form", () => {
    expect(labels("agents:\n  - ^")).toEqual([
      "name",
      "role",
      "goal",
      "llm",
      "tools",
      "max_iter",
      "verbose",
    ]);
  });

  it("offers the agents of the document", () => {
    expect(labels(`${DOC}    agent: ^`)).toEqual(["finder", "writer"]);
    expect(labels(`${DOC}manager_agent: ^`)).toEqual(["finder", "writer"]);
    expect(labels("agents:\n  - name: a\ntasks:\n- name: t\n  agent: ^")).toEqual(["a"]);
  });

  it("offers the tasks that come before, in brackets and behind dashes", () => {
    expect(labels(`${DOC}    context: [^`)).toEqual(["find"]);
    expect(labels(`${DOC}    context:\n      - ^`)).toEqual(["find"]);
    expect(labels(`${DOC}    context: [find, ^`)).toEqual([]);
    expect(labels("tasks:\n- name: a\n- name: b\n  context: [^")).toEqual(["a", "b"]);
  });

  it("offers registered models, embedders and tools", () => {
    expect(labels("agents:\n  a:\n    llm: ^")).toEqual(["gpt", "local"]);
    expect(labels("agents:\n  a:\n    llm:\n      model: ^")).toEqual(["gpt", "local"]);
    expect(labels("embedder: ^")).toEqual(["embed"]);
    expect(labels("agents:\n  a:\n    tools: [wait, ^")).toEqual(["calculator"]);
    expect(labels("agents:\n  a:\n    tools:\n    - ^")).toEqual(["calculator", "wait"]);
  });

  it("offers the settings of a model below it", () => {
    expect(labels("agents:\n  a:\n    llm:\n      ^")).toEqual(["model", "temperature"]);
  });

  it("offers what an enumeration and a flag can be", () => {
    expect(labels("process: ^")).toEqual(["sequential", "hierarchical"]);
    expect(labels("tasks:\n  t:\n    tool_failure_policy: w^")).toEqual(["ignore", "warn"]);
    expect(labels("agents:\n  a:\n    verbose: ^")).toEqual(["true", "false"]);
  });

  it("offers nothing in texts, comments, and where names are free", () => {
    expect(at("agents:\n  a:\n    role: |\n      x^")).toBeNull();
    expect(at("# ^")).toBeNull();
    expect(at("agents:\n  ^")).toBeNull();
    expect(at("name: ^")).toBeNull();
  });
});

describe("hovering", () => {
  it("says what a key is for", () => {
    expect(over("agents:\n  a:\n    ro^le: x")).toEqual({
      from: 17,
      to: 21,
      key: "role",
      description: "What the agent is.",
    });
    expect(over("tasks:\n  - name: t\n    age^nt: x")?.description).toBe("The agent that does it.");
    expect(over("ta^sks:")?.description).toBe("What is done.");
  });

  it("says nothing elsewhere", () => {
    expect(over("agents:\n  a:\n    role: x^")).toBeNull();
    expect(over("agents:\n  a^:\n    role: x")).toBeNull();
    expect(over("nothing ^here")).toBeNull();
    expect(over("agents:\n  a:\n    goal: |\n      ro^le: x")).toBeNull();
  });
});
