// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { Project } from "@/lib/api/types";

import { findUnmappedModels, findUnsetNames } from "./open-steps";

function project(fields: Partial<Project>): Project {
  const inspection = { environmentNames: ["A_KEY", "B_KEY"], models: ["gpt-4o", "o1"] };
  return { secretNames: [], modelMap: {}, version: { inspection }, ...fields } as Project;
}

describe("steps before the first run", () => {
  it("lists the environment variables that are not set", () => {
    expect(findUnsetNames(project({ secretNames: ["A_KEY", "OTHER"] }))).toEqual(["B_KEY"]);
  });

  it("lists the models without a registered one", () => {
    expect(findUnmappedModels(project({ modelMap: { o1: "big" } }))).toEqual(["gpt-4o"]);
  });

  it("lists no model when one is chosen for every other name", () => {
    expect(findUnmappedModels(project({ modelMap: { "*": "big" } }))).toEqual([]);
  });
});
