// @vitest-environment node
import { describe, expect, test } from "vitest";

import {
  MAX_UPLOAD_BYTES,
  addToSource,
  describeMissing,
  readSource,
  type Source,
} from "./import-source";

const EMPTY: Source = { kind: "document", text: "" };
const file = (name: string, text = name) => new File([text], name);

describe("readSource", () => {
  test("takes one YAML file as the document", async () => {
    expect(await readSource([file("crew.yml", "name: A")])).toEqual({
      kind: "document",
      text: "name: A",
    });
  });

  test("takes a zip as a project", async () => {
    expect(await readSource([file("crew.ZIP")])).toMatchObject({ kind: "archive" });
  });

  test("takes agents.yaml and tasks.yaml together or one by one, in any order", async () => {
    const pair = {
      kind: "pair",
      agents: { name: "agents.yaml", text: "a" },
      tasks: { name: "my_tasks.yml", text: "t" },
      name: "",
    };
    const [agents, tasks] = [file("agents.yaml", "a"), file("my_tasks.yml", "t")];
    expect(await readSource([tasks, agents])).toEqual(pair);
    const half = (await readSource([tasks])) as Source;
    expect(describeMissing(half)).toBe("Add agents.yaml too.");
    const other = (await readSource([agents])) as Source;
    expect(addToSource(half, other)).toEqual(pair);
    expect(addToSource(other, half)).toEqual(pair);
  });

  test("keeps the name when a file is replaced", () => {
    const agents = { name: "agents.yaml", text: "a" };
    const named: Source = { kind: "pair", agents: null, tasks: null, name: "Bees" };
    const read: Source = { kind: "pair", agents, tasks: null, name: "" };
    expect(addToSource(named, read)).toEqual({ ...named, agents });
    expect(addToSource(named, EMPTY)).toBe(EMPTY);
  });

  test.each([
    [["a.yaml", "b.yaml"]],
    [["a.zip", "b.zip"]],
    [["a.zip", "agents.yaml"]],
    [["agents.yaml", "tasks.yaml", "more.yaml"]],
    [["crew.py"]],
  ])("rejects %j", async (names) => {
    expect(await readSource(names.map((name) => file(name)))).toHaveProperty("problem");
  });

  test("rejects a file that is too large", async () => {
    const large = file("a.yaml", "x".repeat(MAX_UPLOAD_BYTES + 1));
    expect(await readSource([large])).toEqual({ problem: "a.yaml is larger than 4 MiB." });
  });
});

test("describeMissing names the missing files", () => {
  expect(describeMissing(EMPTY)).toMatch(/^Paste/);
  expect(describeMissing({ kind: "document", text: "name: A" })).toBeNull();
  const agents = { name: "agents.yaml", text: "" };
  expect(describeMissing({ kind: "pair", agents, tasks: null, name: "" })).toBe(
    "Add tasks.yaml too.",
  );
  expect(describeMissing({ kind: "pair", agents, tasks: agents, name: "" })).toBeNull();
});
