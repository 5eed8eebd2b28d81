// @vitest-environment node
import { describe, expect, it } from "vitest";

import { ITEM, listMemberNames, locateCursor } from "./cursor-location";

/** The location of the `^` in a text, which is removed from the text. */
function locate(marked: string) {
  const position = marked.indexOf("^");
  const { kind, path, word, present, from } = locateCursor(marked.replace("^", ""), position);
  expect(from).toBe(position - word.length);
  return { kind, path: path.map((step) => (step === ITEM ? "[]" : step)).join("."), word, present };
}

describe("locateCursor", () => {
  it.each<[string, string, ReturnType<typeof locate>]>([
    ["an empty document", "^", { kind: "key", path: "", word: "", present: [] }],
    [
      "a root key",
      "name: x\nag^\ntasks:\n  a:\n    b: c\n",
      { kind: "key", path: "", word: "ag", present: ["name", "tasks"] },
    ],
    [
      "a nested key",
      "agents:\n  a:\n    role: x\n    go^\n    backstory: y\n  b:\n    llm: z\n",
      { kind: "key", path: "agents.a", word: "go", present: ["role", "backstory"] },
    ],
    [
      "an empty line, by its indentation",
      "agents:\n  a:\n    role: x\n    ^\n",
      { kind: "key", path: "agents.a", word: "", present: ["role"] },
    ],
    [
      "an empty line with less indentation",
      "agents:\n  a:\n    role: x\n  ^\n",
      { kind: "key", path: "agents", word: "", present: ["a"] },
    ],
    [
      "a value",
      "tasks:\n  t:\n    agent: wr^\n",
      { kind: "value", path: "tasks.t.agent", word: "wr", present: [] },
    ],
    [
      "an empty value",
      "tasks:\n  t:\n    agent: ^\n",
      { kind: "value", path: "tasks.t.agent", word: "", present: [] },
    ],
    [
      "a quoted value",
      'tasks:\n  t:\n    agent: "wr^\n',
      { kind: "value", path: "tasks.t.agent", word: "wr", present: [] },
    ],
    [
      "inside brackets",
      "tasks:\n  t:\n    context: [a, 'b', c^\n",
      { kind: "value", path: "tasks.t.context.[]", word: "c", present: ["a", "b"] },
    ],
    [
      "brackets over several lines",
      "tasks:\n  t:\n    context: [a,\n      b^\n",
      { kind: "value", path: "tasks.t.context.[]", word: "b", present: ["a"] },
    ],
    [
      "an item after a dash",
      "tasks:\n  t:\n    context:\n      - a\n      - b^\n",
      { kind: "key", path: "tasks.t.context.[]", word: "b", present: [] },
    ],
    [
      "an item in the column of its key",
      "tasks:\n  t:\n    context:\n    - b^\n",
      { kind: "key", path: "tasks.t.context.[]", word: "b", present: [] },
    ],
    [
      "the first key of an item",
      "agents:\n  - na^\n",
      { kind: "key", path: "agents.[]", word: "na", present: [] },
    ],
    [
      "a later key of an item",
      "agents:\n  - name: a\n    ro^\n    goal: x\n  - name: b\n    llm: y\n",
      { kind: "key", path: "agents.[]", word: "ro", present: ["name", "goal"] },
    ],
    [
      "a value in an item that starts in the column of its key",
      "tasks:\n- name: a\n  agent: ^\n",
      { kind: "value", path: "tasks.[].agent", word: "", present: [] },
    ],
    [
      "after a comment and a blank line",
      "agents:\n  a:\n    # why\n\n    ro^\n",
      { kind: "key", path: "agents.a", word: "ro", present: [] },
    ],
    [
      "a block of text",
      "agents:\n  a:\n    goal: |\n      role: x\n      ro^\n",
      { kind: "text", path: "agents.a.goal", word: "", present: [] },
    ],
    [
      "after a block of text",
      "agents:\n  a:\n    goal: >-\n      role: x\n    ro^\n",
      { kind: "key", path: "agents.a", word: "ro", present: ["goal"] },
    ],
    ["a comment", "agents: # ^", { kind: "text", path: "", word: "", present: [] }],
    [
      "a value while another line is broken",
      "agents:\n  a:\n    role x\n    goal: [\ntasks:\n  t:\n    agent: ^",
      { kind: "value", path: "tasks.t.agent", word: "", present: [] },
    ],
    [
      "a mapping in a value",
      "agents:\n  a:\n    llm:\n      mod^\n",
      { kind: "key", path: "agents.a.llm", word: "mod", present: [] },
    ],
  ])("%s", (_, marked, expected) => {
    expect(locate(marked)).toEqual(expected);
  });
});

it("offers nothing after brackets", () => {
  expect(locateCursor("context: [a] ", 13).kind).toBe("text");
});

describe("listMemberNames", () => {
  it.each([
    ["a mapping", "agents:\n  a:\n    role: x\n  b: {}\ntasks:\n  t:\n    agent: a\n"],
    [
      "a list",
      "agents:\n  - name: a\n    role: x\n  - role: y\n    name: 'b'\ntasks:\n- name: t\n  agent: a\n",
    ],
    [
      "a list of single keys",
      "agents:\n  - a:\n      role: x\n  - b:\n      role: y\ntasks:\n  - t:\n      agent: a\n",
    ],
    [
      "a workflow under `crew:`",
      "crew:\n  agents:\n    a:\n      role: x\n    b:\n  tasks:\n    t:\n",
    ],
    ["a broken text", "name: [\nagents:\n  a:\n    role x\n  b:\ntasks:\n  t:\n    : :\n"],
  ])("reads the names of %s", (_, text) => {
    expect(listMemberNames(text, "agents")).toEqual(["a", "b"]);
    expect(listMemberNames(text, "tasks")).toEqual(["t"]);
  });
});
