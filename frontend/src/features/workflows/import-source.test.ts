import { describe, expect, test } from "vitest";

import { MAX_UPLOAD_BYTES, missing, sourceOf, type Source } from "./import-source";

const nothing: Source = { kind: "document", text: "" };
const file = (name: string, text = name) => new File([text], name);

describe("what the chosen files are", () => {
  test("one YAML file is the document", async () => {
    expect(await sourceOf([file("crew.yml", "name: A")], nothing)).toEqual({
      kind: "document",
      text: "name: A",
    });
  });

  test("a zip is a project", async () => {
    expect(await sourceOf([file("crew.ZIP")], nothing)).toMatchObject({ kind: "archive" });
  });

  test("the two files of CrewAI, in any order, together or one by one", async () => {
    const pair = {
      kind: "pair",
      agents: { name: "agents.yaml", text: "a" },
      tasks: { name: "my_tasks.yml", text: "t" },
      name: "",
    };
    const [agents, tasks] = [file("agents.yaml", "a"), file("my_tasks.yml", "t")];
    expect(await sourceOf([tasks, agents], nothing)).toEqual(pair);
    const half = (await sourceOf([tasks], nothing)) as Source;
    expect(missing(half)).toBe("Add agents.yaml too.");
    expect(await sourceOf([agents], half)).toEqual(pair);
    const other = (await sourceOf([agents], nothing)) as Source;
    expect(await sourceOf([tasks], other)).toEqual(pair);
  });

  test.each([
    [["a.yaml", "b.yaml"]],
    [["a.zip", "b.zip"]],
    [["a.zip", "agents.yaml"]],
    [["agents.yaml", "tasks.yaml", "more.yaml"]],
    [["crew.py"]],
  ])("%j cannot be imported", async (names) => {
    expect(
      await sourceOf(
        names.map((name) => file(name)),
        nothing,
      ),
    ).toHaveProperty("problem");
  });

  test("too large a file is not even read", async () => {
    const large = file("a.yaml", "x".repeat(MAX_UPLOAD_BYTES + 1));
    expect(await sourceOf([large], nothing)).toEqual({ problem: "a.yaml is larger than 4 MiB." });
  });

  test("no files change nothing", async () => {
    expect(await sourceOf([], nothing)).toBe(nothing);
  });
});

test("what is still missing is said", () => {
  expect(missing(nothing)).toMatch(/^Paste/);
  expect(missing({ kind: "document", text: "name: A" })).toBeNull();
  const agents = { name: "agents.yaml", text: "" };
  expect(missing({ kind: "pair", agents, tasks: null, name: "" })).toBe("Add tasks.yaml too.");
  expect(missing({ kind: "pair", agents, tasks: agents, name: "" })).toBeNull();
});
