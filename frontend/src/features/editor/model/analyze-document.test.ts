// @vitest-environment node
import { describe, expect, it } from "vitest";

import { analyzeDocument, findMemberAt } from "./analyze-document";

const AGENTS = "agents:\n  a:\n    role: r\n";
const TASKS = "tasks:\n  t:\n    agent: a\n";

describe("syntax problems", () => {
  it.each([
    ["a: [b\nc: d\n", 2, "A bracket is not closed, or a `,` is missing."],
    ['a: "b\n', 2, "A quote is never closed."],
    ["a: b: c\n", 1, "A `:` is not allowed here."],
    ["a:\n\tb: c\n", 2, "A tab cannot indent YAML."],
    ["a: 1\na: 2\n", 2, "This key is written twice here."],
  ])("%j", (text, line, message) => {
    const { syntaxProblems } = analyzeDocument(text);

    expect(syntaxProblems.find((one) => one.message.startsWith(message))).toMatchObject({
      line,
      severity: "error",
    });
  });

  it.each(["", "  \n", "name: x\n", "a: *b\n", `${AGENTS}${TASKS}`])(
    "reports nothing for valid YAML: %j",
    (text) => {
      expect(analyzeDocument(text).syntaxProblems).toEqual([]);
    },
  );
});

describe("definition", () => {
  it("is null for invalid YAML and without agents and tasks", () => {
    expect(analyzeDocument("agents: [").definition).toBeNull();
    expect(analyzeDocument("name: x\n").definition).toBeNull();
  });

  it("is read from an invalid workflow", () => {
    expect(analyzeDocument(`nonsense: 1\n${AGENTS}${TASKS}`).definition).toMatchObject({
      agents: [{ key: "a", role: "r" }],
      tasks: [{ key: "t", agent: "a", context: null }],
    });
  });

  it("is read from the list form", () => {
    const text =
      "agents:\n  - name: a\n    role: r\n    allowDelegation: true\ntasks:\n- name: t\n  agent: b\n- u:\n    agent: a\n";

    expect(analyzeDocument(text).definition).toMatchObject({
      agents: [{ key: "a", allowDelegation: true }],
      tasks: [
        { key: "t", agent: "b" },
        { key: "u", agent: "a" },
      ],
    });
  });
});

describe("members", () => {
  it("have the position of their name and of all that belongs to them", () => {
    const text = `# top\nagents:\n  a:\n    role: r\n\n${TASKS}process: sequential\n`;
    const { members } = analyzeDocument(text);
    const idAt = (part: string) => findMemberAt(members, text.indexOf(part))?.id;

    expect([
      idAt("a:\n    role"),
      idAt("role"),
      idAt("t:\n"),
      idAt("agent: a"),
      idAt("# top"),
      idAt("process"),
    ]).toEqual(["agent:a", "agent:a", "task:t", "task:t", undefined, undefined]);
    expect(text.slice(members[1]?.name.from, members[1]?.name.to)).toBe("t");
  });
});
