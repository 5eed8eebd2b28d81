// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { Model, Project } from "@/lib/api/types";

import { chooseModel, findFallback, findUnsetNames, listWantedModels } from "./project-models";

function project(fields: Partial<Project>): Project {
  const inspection = {
    environmentNames: ["A_KEY", "B_KEY", "OPENAI_API_KEY"],
    models: ["gpt-4o", "o1"],
  };
  const providedNames = ["OPENAI_API_KEY"];
  return {
    secretNames: [],
    providedNames,
    modelMap: {},
    version: { inspection },
    ...fields,
  } as Project;
}

const MODELS = [
  { name: "tiny", default: true, type: "llm" },
  { name: "o1", default: false, type: "llm", providerType: "openai", providerModel: "o1-pro" },
] as Model[];

describe("models of a project", () => {
  it("lists each name once, and every other one last", () => {
    const modelMap = { "*": "big", old: "small", "gpt-4o": "big" };
    expect(listWantedModels(project({ modelMap }))).toEqual(["gpt-4o", "o1", "old", "*"]);
  });

  it("adds, replaces and removes choices", () => {
    expect(chooseModel({ a: "x" }, "b", "y")).toEqual({ a: "x", b: "y" });
    expect(chooseModel({ a: "x" }, "a", "y")).toEqual({ a: "y" });
    expect(chooseModel({ a: "x" }, "a", "")).toEqual({});
  });

  it("finds what answers without a choice", () => {
    const chosen = project({ modelMap: { "*": "o1" } });
    expect(findFallback("gpt-4o", chosen, MODELS)).toBe("o1");
    expect(findFallback("gpt-4o", project({}), MODELS)).toBe("tiny");
    expect(findFallback("o1", project({}), MODELS)).toBe("o1");
    expect(findFallback("openai/o1-pro", project({}), MODELS)).toBe("o1");
    expect(findFallback("*", chosen, MODELS)).toBe("tiny");
    expect(findFallback("*", chosen, [])).toBeNull();
  });

  it("lists the environment variables that are not set", () => {
    expect(findUnsetNames(project({ secretNames: ["A_KEY", "OTHER"] }))).toEqual(["B_KEY"]);
  });
});
