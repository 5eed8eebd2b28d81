// @vitest-environment node
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { FieldValue } from "./render-yaml";
import { diffLines, LIST, MAPPING, readYaml } from "./sample-documents";
import { setField, UnsupportedEdit } from "./set-field";

const diffAfterSet = (id: string, field: string, value: FieldValue | undefined, text = MAPPING) =>
  diffLines(text, setField(text, id, field, value));

describe("setField", () => {
  it.each<[string, string, string, FieldValue | undefined, string[], string[]]>([
    [
      "keeps quotes and comment",
      "agent:researcher",
      "role",
      "Finder",
      ['    role: "Researcher"  # quoted'],
      ['    role: "Finder"  # quoted'],
    ],
    [
      "keeps a folded text folded",
      "agent:researcher",
      "goal",
      "Find it",
      ["      Find facts, and", "      say how sure they are"],
      ["      Find it"],
    ],
    [
      "keeps a block and the blank line after it",
      "agent:researcher",
      "backstory",
      "One.\nTwo.",
      ["      Curious.", "", "      Careful."],
      ["      One.", "      Two."],
    ],
    [
      "turns a plain text with several lines into a block",
      "agent:writer",
      "goal",
      "a\nb",
      ["    goal: Write"],
      ["    goal: |-", "      a", "      b"],
    ],
    [
      "replaces only the name of a model that has settings",
      "agent:writer",
      "llm",
      "other",
      ["      model: gpt  # the model"],
      ["      model: other  # the model"],
    ],
    ["adds a model", "agent:researcher", "llm", "gpt", [], ["    llm: gpt"]],
    [
      "keeps a list in brackets",
      "task:draft",
      "context",
      ["research", "x"],
      ["    context: [research]   # builds on it"],
      ["    context: [research, x]   # builds on it"],
    ],
    [
      "keeps a list with dashes",
      "agent:writer",
      "tools",
      ["wait"],
      ["      - calculator # sums", "      - http_get"],
      ["      - wait"],
    ],
    [
      "replaces a boolean",
      "task:draft",
      "human_input",
      false,
      ["    human_input: true"],
      ["    human_input: false"],
    ],
    ["removes a boolean", "task:draft", "human_input", undefined, ["    human_input: true"], []],
    [
      "removes a list with its lines",
      "agent:writer",
      "tools",
      undefined,
      ["    tools:", "      - calculator # sums", "      - http_get"],
      [],
    ],
    [
      "adds a field after the last one, before a comment",
      "task:research",
      "markdown",
      true,
      [],
      ["    markdown: true"],
    ],
    ["adds a number", "agent:writer", "max_iter", 8, [], ["    max_iter: 8"]],
    [
      "quotes a text that looks like a number",
      "agent:writer",
      "role",
      "12",
      ["    role: Writer"],
      ['    role: "12"'],
    ],
    [
      "quotes a text with a colon",
      "agent:writer",
      "role",
      "a: b # c",
      ["    role: Writer"],
      ['    role: "a: b # c"'],
    ],
    ["ignores the removal of a missing field", "agent:writer", "guardrail", undefined, [], []],
  ])("%s", (_, id, field, value, removed, added) => {
    expect(diffAfterSet(id, field, value)).toEqual({ removed, added });
  });

  it("uses the spelling of the document's other keys", () => {
    expect(diffAfterSet("agent:finder", "max_iter", 3, LIST).added).toEqual(["    maxIter: 3"]);
    expect(diffAfterSet("agent:finder", "llm", "gpt", LIST).added).toEqual(["    model: gpt"]);
    expect(diffAfterSet("agent:finder", "allow_delegation", false, LIST).added).toEqual([
      "    allowDelegation: false",
    ]);
  });

  it("adds the first field of a task, and the value of an empty key", () => {
    const text = "tasks:\n  a: # empty\n  b:\n    description:\n    agent: x\n";

    expect(setField(text, "task:a", "description", "d")).toBe(
      "tasks:\n  a: # empty\n    description: d\n  b:\n    description:\n    agent: x\n",
    );
    expect(setField(text, "task:b", "description", "d")).toContain("    description: d\n    agent");
  });

  it("edits inside braces", () => {
    const text = "agents: {a: {role: R, goal: G}}\ntasks: {t: {}}\n";

    expect(setField(text, "agent:a", "role", "x, y")).toBe(
      'agents: {a: {role: "x, y", goal: G}}\ntasks: {t: {}}\n',
    );
    expect(setField(text, "agent:a", "goal", undefined)).toBe(
      "agents: {a: {role: R}}\ntasks: {t: {}}\n",
    );
    expect(setField(text, "agent:a", "backstory", "1\n2")).toContain(
      'goal: G, backstory: "1\\n2"}',
    );
    expect(setField(text, "task:t", "agent", "a")).toContain("{t: {agent: a}}");
  });

  it("throws for an unknown agent and for invalid YAML", () => {
    expect(() => setField(MAPPING, "agent:nobody", "role", "x")).toThrow(UnsupportedEdit);
    expect(() => setField("a: [", "agent:a", "role", "x")).toThrow(UnsupportedEdit);
  });

  it("replaces an alias", () => {
    const text = "agents:\n  a:\n    role: &r R\n  b:\n    role: *r\n";

    expect(readYaml(setField(text, "agent:b", "role", "new")).agents?.b).toEqual({ role: "new" });
  });
});

describe("setField with any text", () => {
  const texts = fc.oneof(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ,.:#'"{}[\]&*!|>%@`-]{0,30}$/),
    fc
      .array(fc.stringMatching(/^[A-Za-z][a-z :#-]{0,12}$/), { minLength: 2, maxLength: 4 })
      .map((lines) => lines.join("\n")),
    fc
      .string({ minLength: 1, maxLength: 12 })
      // Blank text empties a field, which does not keep its style.
      .filter((text) => text.trim() !== "" && !/[\p{Cc}\p{Cs}\u2028\u2029\uFEFF]/u.test(text)),
  );
  const target = fc.constantFrom(
    ["agent:researcher", "role"],
    ["agent:researcher", "goal"],
    ["agent:researcher", "backstory"],
    ["agent:writer", "role"],
    ["agent:writer", "backstory"],
    ["agent:writer", "guardrail"],
    ["task:research", "description"],
    ["task:draft", "expected_output"],
    ["task:draft", "guardrail"],
  );

  it("writes the text and keeps every other value and every comment", () => {
    fc.assert(
      fc.property(target, texts, ([id = "", field = ""], value) => {
        const after = setField(MAPPING, id, field, value);
        const [kind = "", key = ""] = id.split(":");
        const expected = structuredClone(readYaml(MAPPING));
        const fields = expected[`${kind}s`]?.[key] ?? {};
        const ends = typeof fields[field] === "string" && fields[field].endsWith("\n");
        const text = value.trimEnd();
        fields[field] = ends && text ? `${text}\n` : text;
        expect(readYaml(after)).toEqual(expected);
        for (const comment of MAPPING.match(/ *#.*/g) ?? []) expect(after).toContain(comment);
      }),
      { numRuns: 400 },
    );
  });

  it("restores the document when the old value is set again", () => {
    fc.assert(
      fc.property(target, texts, ([id = "", field = ""], value) => {
        const [kind = "", key = ""] = id.split(":");
        const old = readYaml(MAPPING)[`${kind}s`]?.[key]?.[field] as string | undefined;
        const there = setField(MAPPING, id, field, value);
        const back = setField(there, id, field, old);
        expect(readYaml(back)).toEqual(readYaml(MAPPING));
        if (old === undefined) expect(back).toBe(MAPPING);
      }),
      { numRuns: 200 },
    );
  });
});
