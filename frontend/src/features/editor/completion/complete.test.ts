import { describe, expect, it } from "vitest";

import { complete } from "./complete";
import { describeKeyAt } from "./key-description";
import { SAMPLE_SCHEMA } from "./sample-schema";

const REGISTERED = { models: ["gpt", "local"], embedders: ["embed"] };
const DOC =
  "agents:\n  finder:\n    role: F\n  writer:\n    role: W\ntasks:\n  find:\n    description: d\n  draft:\n    description: d\n";

/** The completion at the `^` in a text, which is removed from the text. */
function completeAt(marked: string) {
  const position = marked.indexOf("^");
  return complete(marked.replace("^", ""), position, SAMPLE_SCHEMA, REGISTERED);
}
const labels = (marked: string) =>
  completeAt(marked)
    ?.items.toSorted((a, b) => b.boost - a.boost)
    .map((item) => item.label) ?? [];

const describeAt = (marked: string) =>
  describeKeyAt(marked.replace("^", ""), marked.indexOf("^"), SAMPLE_SCHEMA);

describe("complete", () => {
  it("offers missing keys, required ones first", () => {
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
      "allowed_hosts",
      "embedder",
    ]);
  });

  it("describes keys and adds the colon if it is missing", () => {
    expect(
      completeAt("agents:\n  a:\n    ro^\n")?.items.find((one) => one.label === "role"),
    ).toEqual({
      label: "role",
      apply: "role: ",
      detail: "required",
      info: "What the agent is.",
      kind: "property",
      boost: 2,
    });
    expect(
      completeAt("agents:\n  a:\n    ro^: x\n")?.items.find((one) => one.label === "role")?.apply,
    ).toBe("role");
    expect(completeAt("ag^")?.items.find((one) => one.label === "agents")?.apply).toBe("agents:");
  });

  it("does not offer a key that is present under an alias", () => {
    expect(labels("agents:\n  a:\n    model: x\n    ^\n")).not.toContain("llm");
  });

  it("uses the spelling of the document's other keys", () => {
    expect(labels("agents:\n  - name: a\n    maxIter: 3\n    ^\n")).toEqual([
      "role",
      "goal",
      "model",
      "tools",
      "verbose",
    ]);
  });

  it("offers the name first in list form", () => {
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

  it("offers earlier tasks, in brackets and after dashes", () => {
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

  it("offers the settings of a model", () => {
    expect(labels("agents:\n  a:\n    llm:\n      ^")).toEqual(["model", "temperature"]);
  });

  it("offers the values of enumerations and booleans", () => {
    expect(labels("process: ^")).toEqual(["sequential", "hierarchical"]);
    expect(labels("tasks:\n  t:\n    tool_failure_policy: w^")).toEqual(["ignore", "warn"]);
    expect(labels("agents:\n  a:\n    verbose: ^")).toEqual(["true", "false"]);
  });

  it("offers nothing in block texts, in comments and for free names", () => {
    expect(completeAt("agents:\n  a:\n    role: |\n      x^")).toBeNull();
    expect(completeAt("# ^")).toBeNull();
    expect(completeAt("agents:\n  ^")).toBeNull();
    expect(completeAt("name: ^")).toBeNull();
  });
});

describe("describeKeyAt", () => {
  it("describes the key at a position", () => {
    expect(describeAt("agents:\n  a:\n    ro^le: x")).toEqual({
      from: 17,
      to: 21,
      key: "role",
      description: "What the agent is.",
    });
    expect(describeAt("tasks:\n  - name: t\n    age^nt: x")?.description).toBe(
      "The agent that performs it.",
    );
    expect(describeAt("ta^sks:")?.description).toBe("The tasks.");
  });

  it("returns null for values, unknown keys and block texts", () => {
    expect(describeAt("agents:\n  a:\n    role: x^")).toBeNull();
    expect(describeAt("agents:\n  a^:\n    role: x")).toBeNull();
    expect(describeAt("nothing ^here")).toBeNull();
    expect(describeAt("agents:\n  a:\n    goal: |\n      ro^le: x")).toBeNull();
  });
});
