import { describe, expect, it } from "vitest";

import { check, placeAt } from "./check";
import { schemaCheck } from "./schema-check";

const agent = {
  type: "object",
  properties: {
    role: { description: "r", type: "string", minLength: 1, maxLength: 20 },
    max_iter: { anyOf: [{ type: "integer", minimum: 1, maximum: 9 }, { type: "null" }] },
    verbose: { anyOf: [{ type: "boolean" }, { type: "null" }] },
    policy: { anyOf: [{ type: "string", enum: ["ignore", "warn"] }, { type: "null" }] },
    tools: { anyOf: [{ type: "array", items: { type: "string" }, maxItems: 2 }, { type: "null" }] },
    llm: {
      anyOf: [
        {
          anyOf: [
            { type: "string" },
            {
              type: "object",
              properties: { model: {} },
              additionalProperties: false,
              allOf: [{ anyOf: [{ required: ["model"] }] }],
            },
          ],
        },
        { type: "null" },
      ],
    },
  },
  additionalProperties: false,
  allOf: [{ anyOf: [{ required: ["role"] }] }],
};
const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string" },
    file: { type: "string", pattern: String.raw`^[^\"~]+$` },
    agents: { type: "object", additionalProperties: { $ref: "#/$defs/agent" }, minProperties: 1 },
    tasks: {},
    process: {},
    manager_agent: {},
  },
  additionalProperties: false,
  anyOf: [{ required: ["agents"] }],
  $defs: { agent },
};
const bySchema = schemaCheck(SCHEMA);

/** Each problem as `code: the text it underlines: message`. */
function told(text: string, schema: typeof bySchema | null = bySchema) {
  return check(text, schema).problems.map(
    (one) => `${one.line} ${one.code} <${text.slice(one.from, one.to)}> ${one.message}`,
  );
}
const used = "tasks:\n  t:\n    agent: a\n";

describe("the schema's word", () => {
  it.each([
    [
      "an unknown key",
      "agents:\n  a:\n    role: x\n    rol: y\n",
      "4 unknown-key <rol> `a` has no `rol`.",
    ],
    [
      "an unknown key at the top",
      "nam: x\nagents:\n  a:\n    role: x\n",
      "1 unknown-key <nam> A workflow has no `nam`.",
    ],
    ["a missing key", "agents:\n  a:\n    max_iter: 1\n", "2 missing-field <a> `role` is missing."],
    ["a missing section", "name: x\n", "1 missing-field <n> `agents` is missing."],
    [
      "an empty section",
      "agents: {}\n",
      "1 missing-field <agents> There are no agents. Write at least one.",
    ],
    [
      "a wrong type",
      "agents:\n  a:\n    role: x\n    max_iter: many\n",
      "4 wrong-type <many> `max_iter` should be a whole number.",
    ],
    [
      "a flag",
      "agents:\n  a:\n    role: x\n    verbose: maybe\n",
      "4 wrong-type <maybe> `verbose` should be true or false.",
    ],
    [
      "a list",
      "agents:\n  a:\n    role: x\n    tools: y\n",
      "4 wrong-type <y> `tools` should be a list.",
    ],
    [
      "an item",
      "agents:\n  a:\n    role: x\n    tools: [1]\n",
      "4 wrong-type <1> `tools` should be text.",
    ],
    [
      "too many items",
      "agents:\n  a:\n    role: x\n    tools: [b, c, d]\n",
      "4 too-many-items <tools> `tools` has too many items.",
    ],
    [
      "too small",
      "agents:\n  a:\n    role: x\n    max_iter: 0\n",
      "4 out-of-range <0> `max_iter` must be at least 1.",
    ],
    [
      "too large",
      "agents:\n  a:\n    role: x\n    max_iter: 10\n",
      "4 out-of-range <10> `max_iter` must be at most 9.",
    ],
    [
      "an empty text",
      "agents:\n  a:\n    role: ''\n",
      "3 empty-text <''> `role` is empty. Write something, or leave it out.",
    ],
    [
      "a long text",
      `agents:\n  a:\n    role: ${"x".repeat(21)}\n`,
      `3 text-too-long <${"x".repeat(21)}> \`role\` is too long.`,
    ],
    [
      "an enumeration",
      "agents:\n  a:\n    role: x\n    policy: wran\n",
      "4 unknown-value <wran> `wran` is none of ignore, warn. Did you mean `warn`?",
    ],
    [
      "one branch of several",
      "agents:\n  a:\n    role: x\n    llm: {modl: y}\n",
      "4 unknown-key <modl> `llm` has no `modl`.",
    ],
    [
      "no branch of several",
      "agents:\n  a:\n    role: x\n    llm: 3\n",
      "4 wrong-type <3> `llm` should be text or a mapping.",
    ],
  ])("%s", (_, text, expected) => {
    expect(told(`${text}${text.includes("  a:") ? used : ""}`)).toContain(expected);
  });

  it("says nothing about what is right, and takes an empty key for none", () => {
    expect(told(`name: x\nagents:\n  a:\n    role: r\n    llm:\n    tools:\n${used}`)).toEqual([]);
  });

  it("leaves patterns it cannot read to the server", () => {
    expect(told(`file: 'a"b'\nagents:\n  a:\n    role: r\n${used}`)).toEqual([]);
  });
});

const cross = (text: string) => told(text, null);

describe("who names whom", () => {
  const AGENTS = "agents:\n  finder:\n    role: F\n  writer:\n    role: W\n";

  it("finds unknown agents and tasks, with what was meant", () => {
    const text = `${AGENTS}tasks:\n  one:\n    agent: findr\n  two:\n    agent: writer\n    context: [onne, two]\n`;

    expect(cross(text)).toEqual([
      "2 unused-agent <finder> No task names the agent `finder`. Give it a task, or remove it.",
      "8 unknown-agent <findr> There is no agent `findr`. Did you mean `finder`?",
      "11 unknown-context <onne> There is no task `onne`. Did you mean `one`?",
      "11 context-itself <two> `two` cannot build on its own result. Remove it here.",
    ]);
  });

  it("finds a context that comes later", () => {
    const text = `${AGENTS}tasks:\n  one:\n    agent: finder\n    context:\n      - two\n  two:\n    agent: writer\n`;

    expect(cross(text)).toEqual([
      "10 context-later <two> `two` comes later, and a task builds on earlier ones. Move `one` below it.",
    ]);
  });

  it("wants an agent for each task, unless a manager hands out the work", () => {
    const tasks = "tasks:\n  one:\n    description: d\n";

    expect(cross(`${AGENTS}${tasks}`)[2]).toContain("`agent` is missing: nobody does `one`.");
    expect(cross(`process: hierarchical\n${AGENTS}${tasks}`)).toEqual([]);
  });

  it("knows that a delegating agent uses the others, and the manager is used", () => {
    const tasks = "tasks:\n  one:\n    agent: finder\n";

    expect(cross(`${AGENTS}    allowDelegation: true\n${tasks}`)).toEqual([]);
    expect(cross(`manager_agent: writer\n${AGENTS}${tasks}`)).toEqual([]);
    expect(cross(`manager_agent: wrter\n${AGENTS}${tasks}`)[0]).toContain("Did you mean `writer`?");
  });

  it("reads the list form", () => {
    const text =
      "agents:\n  - name: a\n    role: r\ntasks:\n- name: t\n  agent: b\n- u:\n    agent: a\n";

    expect(cross(text)).toEqual(["6 unknown-agent <b> There is no agent `b`."]);
  });
});

describe("broken text", () => {
  it.each([
    ["", "1 empty-document"],
    ["  \n", "1 empty-document"],
    ["a: [b\nc: d\n", "syntax"],
    ['a: "b\n', "A quote is opened here and never closed."],
    ["a: b: c\n", "A `:` where none may stand."],
    ["a:\n\tb: c\n", "A tab cannot indent YAML."],
    ["a: 1\na: 2\n", "duplicate-key"],
    ["a: *b\n", "unknown-alias"],
  ])("%j", (text, expected) => {
    expect(told(text).join("\n")).toContain(expected);
  });

  it("cannot be drawn, but a wrong one can", () => {
    expect(check("agents: [", bySchema).definition).toBeNull();
    expect(check("name: x\n", bySchema).definition).toBeNull();
    expect(
      check(`nonsense: 1\nagents:\n  a:\n    role: r\n${used}`, bySchema).definition,
    ).toMatchObject({
      agents: [{ key: "a", role: "r" }],
      tasks: [{ key: "t", agent: "a", context: null }],
    });
  });
});

describe("places", () => {
  it("tell in which agent or task a position stands", () => {
    const text = `# top\nagents:\n  a:\n    role: r\n\n${used}process: sequential\n`;
    const { places } = check(text, null);
    const at = (words: string) => placeAt(places, text.indexOf(words))?.id;

    expect([
      at("a:\n    role"),
      at("role"),
      at("t:\n"),
      at("agent: a"),
      at("# top"),
      at("process"),
    ]).toEqual(["agent:a", "agent:a", "task:t", "task:t", undefined, undefined]);
    expect(text.slice(places[1]?.name.from, places[1]?.name.to)).toBe("t");
  });
});
