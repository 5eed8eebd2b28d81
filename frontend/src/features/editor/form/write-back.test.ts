import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";

import type { FieldValue } from "./render";
import { NotWritable, withField } from "./write-field";
import { renamed, withNew, without } from "./write-member";

const MAPPING = `# A crew of two
name: Crew   # its name

agents:
  # who finds
  researcher:
    role: "Researcher"  # quoted
    goal: >- # what for
      Find facts, and
      say how sure they are
    backstory: |
      Curious.

      Careful.

  writer: # who writes
    role: Writer
    goal: Write
    backstory: Brief.
    llm:
      model: gpt  # the model
      temperature: 0.5
    tools:
      - calculator # sums
      - http_get

tasks:
  research:
    description: Find
    expected_output: Facts
    agent: researcher
    # no context here

  draft:
    description: Write
    expected_output: A note
    agent: 'writer'
    context: [research]   # builds on it
    human_input: true
# the end
`;

const LIST = `name: Crew
agents:
  - name: finder # finds
    role: Finder
    goal: Find
    backstory: b
    allowDelegation: true
tasks:
- name: find
  description: Find
  expectedOutput: Facts
  agent: finder
`;

type Plain = Record<string, Record<string, Record<string, unknown>>>;
const read = (text: string) => parseYaml(text) as Plain;

/** What differs: the lines taken away, and those put in their place. */
function difference(before: string, after: string): { gone: string[]; come: string[] } {
  const old = before.split("\n");
  const now = after.split("\n");
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < Math.min(old.length, now.length) - head &&
    old.at(-1 - tail) === now.at(-1 - tail)
  ) {
    tail += 1;
  }
  return { gone: old.slice(head, old.length - tail), come: now.slice(head, now.length - tail) };
}

const change = (id: string, field: string, value: FieldValue | undefined, text = MAPPING) =>
  difference(text, withField(text, id, field, value));

describe("writing a field", () => {
  it.each<[string, string, string, FieldValue | undefined, string[], string[]]>([
    [
      "a quoted text stays quoted, with its comment",
      "agent:researcher",
      "role",
      "Finder",
      ['    role: "Researcher"  # quoted'],
      ['    role: "Finder"  # quoted'],
    ],
    [
      "a folded text stays folded",
      "agent:researcher",
      "goal",
      "Find it",
      ["      Find facts, and", "      say how sure they are"],
      ["      Find it"],
    ],
    [
      "a block stays a block, and keeps its blank line behind",
      "agent:researcher",
      "backstory",
      "One.\nTwo.",
      ["      Curious.", "", "      Careful."],
      ["      One.", "      Two."],
    ],
    [
      "a plain text becomes a block when it has lines",
      "agent:writer",
      "goal",
      "a\nb",
      ["    goal: Write"],
      ["    goal: |-", "      a", "      b"],
    ],
    [
      "the name of a model inside its settings",
      "agent:writer",
      "llm",
      "other",
      ["      model: gpt  # the model"],
      ["      model: other  # the model"],
    ],
    ["a model where there is none", "agent:researcher", "llm", "gpt", [], ["    llm: gpt"]],
    [
      "a list written in brackets",
      "task:draft",
      "context",
      ["research", "x"],
      ["    context: [research]   # builds on it"],
      ["    context: [research, x]   # builds on it"],
    ],
    [
      "a list written with dashes",
      "agent:writer",
      "tools",
      ["wait"],
      ["      - calculator # sums", "      - http_get"],
      ["      - wait"],
    ],
    [
      "a flag",
      "task:draft",
      "human_input",
      false,
      ["    human_input: true"],
      ["    human_input: false"],
    ],
    ["a flag taken away", "task:draft", "human_input", undefined, ["    human_input: true"], []],
    [
      "a list taken away with its lines",
      "agent:writer",
      "tools",
      undefined,
      ["    tools:", "      - calculator # sums", "      - http_get"],
      [],
    ],
    [
      "a new field stands behind the last, before the comment",
      "task:research",
      "markdown",
      true,
      [],
      ["    markdown: true"],
    ],
    ["a number", "agent:writer", "max_iter", 8, [], ["    max_iter: 8"]],
    [
      "a text that looks like a number is quoted",
      "agent:writer",
      "role",
      "12",
      ["    role: Writer"],
      ['    role: "12"'],
    ],
    [
      "a text with a colon is quoted",
      "agent:writer",
      "role",
      "a: b # c",
      ["    role: Writer"],
      ['    role: "a: b # c"'],
    ],
    ["nothing to take away", "agent:writer", "guardrail", undefined, [], []],
  ])("%s", (_, id, field, value, gone, come) => {
    expect(change(id, field, value)).toEqual({ gone, come });
  });

  it("spells new keys as the document spells its own", () => {
    expect(change("agent:finder", "max_iter", 3, LIST).come).toEqual(["    maxIter: 3"]);
    expect(change("agent:finder", "llm", "gpt", LIST).come).toEqual(["    model: gpt"]);
    expect(change("agent:finder", "allow_delegation", false, LIST).come).toEqual([
      "    allowDelegation: false",
    ]);
  });

  it("works in a task that has nothing yet, and where a key has no value", () => {
    const text = "tasks:\n  a: # empty\n  b:\n    description:\n    agent: x\n";

    expect(withField(text, "task:a", "description", "d")).toBe(
      "tasks:\n  a: # empty\n    description: d\n  b:\n    description:\n    agent: x\n",
    );
    expect(withField(text, "task:b", "description", "d")).toContain(
      "    description: d\n    agent",
    );
  });

  it("works inside braces", () => {
    const text = "agents: {a: {role: R, goal: G}}\ntasks: {t: {}}\n";

    expect(withField(text, "agent:a", "role", "x, y")).toBe(
      'agents: {a: {role: "x, y", goal: G}}\ntasks: {t: {}}\n',
    );
    expect(withField(text, "agent:a", "goal", undefined)).toBe(
      "agents: {a: {role: R}}\ntasks: {t: {}}\n",
    );
    expect(withField(text, "agent:a", "backstory", "1\n2")).toContain(
      'goal: G, backstory: "1\\n2"}',
    );
    expect(withField(text, "task:t", "agent", "a")).toContain("{t: {agent: a}}");
  });

  it("does not touch what it cannot write", () => {
    expect(() => withField(MAPPING, "agent:nobody", "role", "x")).toThrow(NotWritable);
    expect(() => withField("a: [", "agent:a", "role", "x")).toThrow(NotWritable);
  });

  it("writes over an alias", () => {
    const text = "agents:\n  a:\n    role: &r R\n  b:\n    role: *r\n";

    expect(read(withField(text, "agent:b", "role", "new")).agents?.b).toEqual({ role: "new" });
  });
});

describe("writing a member", () => {
  it("renames an agent wherever it is named", () => {
    const { text, id } = renamed(MAPPING, "agent:writer", "author");

    expect(id).toBe("agent:author");
    expect(difference(MAPPING, text).come.join("\n")).toContain("  author: # who writes");
    expect(read(text).tasks?.draft?.agent).toBe("author");
    expect(text).toContain("agent: 'author'");
    expect(text).not.toContain("writer");
  });

  it("renames a task wherever others build on it, in both spellings", () => {
    expect(read(renamed(MAPPING, "task:research", "find").text).tasks?.draft?.context).toEqual([
      "find",
    ]);
    expect(renamed(LIST, "agent:finder", "seeker").text).toBe(
      LIST.replace("name: finder", "name: seeker").replace("agent: finder", "agent: seeker"),
    );
  });

  it("takes away a task, and what builds on it no longer does", () => {
    const after = without(MAPPING, "task:research");

    expect(Object.keys(read(after).tasks ?? {})).toEqual(["draft"]);
    expect(after).not.toContain("context");
    expect(after).toContain("  draft:\n    description: Write");
  });

  it("takes away the last and the first", () => {
    expect(without(MAPPING, "task:draft")).toContain("# the end");
    expect(without(MAPPING, "task:draft")).not.toContain("draft");
    expect(without(MAPPING, "agent:researcher")).toContain(
      "agents:\n  # who finds\n  writer: # who writes",
    );
    expect(read(without(LIST, "task:find")).tasks).toBeNull();
  });

  it("adds behind the last, with the distance of the others", () => {
    const { text, id } = withNew(MAPPING, "task");

    expect(id).toBe("task:new_task");
    expect(difference(MAPPING, text)).toEqual({
      gone: [],
      come: [
        "",
        "  new_task:",
        "    description: What is to be done",
        "    expected_output: What the result looks like",
        "    agent: researcher",
      ],
    });
    expect(withNew(text, "task").id).toBe("task:new_task_2");
  });

  it("adds in the list form, in its spelling", () => {
    expect(withNew(LIST, "task").text).toBe(
      `${LIST}- name: new_task\n  description: What is to be done\n  expectedOutput: What the result looks like\n  agent: finder\n`,
    );
    expect(read(withNew(LIST, "agent").text).agents).toHaveLength(2);
  });

  it.each([
    "",
    "name: x\n",
    "name: x",
    "agents:\n",
    "agents: {}\n",
    "agents:\ntasks:\n  t:\n    agent: a\n",
  ])("makes the section where %j has none", (text) => {
    const added = read(withNew(text, "agent").text);
    expect(Object.keys(added.agents ?? {})).toEqual(["new_agent"]);
    expect(Object.keys(added).toSorted()).toEqual(
      [...new Set([...Object.keys((parseYaml(text) as object | null) ?? {}), "agents"])].toSorted(),
    );
  });
});

describe("any writing", () => {
  const words = fc.oneof(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ,.:#'"{}[\]&*!|>%@`-]{0,30}$/),
    fc
      .array(fc.stringMatching(/^[A-Za-z][a-z :#-]{0,12}$/), { minLength: 2, maxLength: 4 })
      .map((lines) => lines.join("\n")),
    fc
      .string({ minLength: 1, maxLength: 12 })
      // A blank is an emptied field, which keeps nothing of its form.
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

  it("gives back what was written, leaves every other value and every comment", () => {
    fc.assert(
      fc.property(target, words, ([id = "", field = ""], value) => {
        const after = withField(MAPPING, id, field, value);
        const [kind = "", key = ""] = id.split(":");
        const expected = structuredClone(read(MAPPING));
        const fields = expected[`${kind}s`]?.[key] ?? {};
        const ends = typeof fields[field] === "string" && fields[field].endsWith("\n");
        const text = value.trimEnd();
        fields[field] = ends && text ? `${text}\n` : text;
        expect(read(after)).toEqual(expected);
        for (const comment of MAPPING.match(/ *#.*/g) ?? []) expect(after).toContain(comment);
      }),
      { numRuns: 400 },
    );
  });

  it("is one change of lines in one place, and writing the old value again brings the old text back", () => {
    fc.assert(
      fc.property(target, words, ([id = "", field = ""], value) => {
        const [kind = "", key = ""] = id.split(":");
        const old = read(MAPPING)[`${kind}s`]?.[key]?.[field] as string | undefined;
        const there = withField(MAPPING, id, field, value);
        const back = withField(there, id, field, old);
        expect(read(back)).toEqual(read(MAPPING));
        if (old === undefined) expect(back).toBe(MAPPING);
      }),
      { numRuns: 200 },
    );
  });
});
