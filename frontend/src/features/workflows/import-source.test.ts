import { describe, expect, test } from "vitest";

import { MAX_UPLOAD_BYTES, describeMissing, createSource, type Source } from "./import-source";

const EMPTY: Source = { kind: "document", text: "" };
const file = (name: string, text = name) => new File([text], name);

describe("createSource", () => {
  test("takes one YAML file as the document", async () => {
    expect(await createSource([file("crew.yml", "name: A")], EMPTY)).toEqual({
      kind: "document",
      text: "name: A",
    });
  });

  test("takes a zip as a project", async () => {
    expect(await createSource([file("crew.ZIP")], EMPTY)).toMatchObject({ kind: "archive" });
  });

  test("takes agents.yaml and tasks.yaml together or one by one, in any order", async () => {
    const pair = {
      kind: "pair",
      agents: { name: "agents.yaml", text: "a" },
      tasks: { name: "my_tasks.yml", text: "t" },
      name: "",
    };
    const [agents, tasks] = [file("agents.yaml", "a"), file("my_tasks.yml", "t")];
    expect(await createSource([tasks, agents], EMPTY)).toEqual(pair);
    const half = (await createSource([tasks], EMPTY)) as Source;
    expect(describeMissing(half)).toBe("Add agents.yaml too.");
    expect(await createSource([agents], half)).toEqual(pair);
    const other = (await createSource([agents], EMPTY)) as Source;
    expect(await createSource([tasks], other)).toEqual(pair);
  });

  test.each([
    [["a.yaml", "b.yaml"]],
    [["a.zip", "b.zip"]],
    [["a.zip", "agents.yaml"]],
    [["agents.yaml", "tasks.yaml", "more.yaml"]],
    [["crew.py"]],
  ])("rejects %j", async (names) => {
    expect(
      await createSource(
        names.map((name) => file(name)),
        EMPTY,
      ),
    ).toHaveProperty("problem");
  });

  test("rejects a file that is too large", async () => {
    const large = file("a.yaml", "x".repeat(MAX_UPLOAD_BYTES + 1));
    expect(await createSource([large], EMPTY)).toEqual({ problem: "a.yaml is larger than 4 MiB." });
  });

  test("keeps the source when no file is selected", async () => {
    expect(await createSource([], EMPTY)).toBe(EMPTY);
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
