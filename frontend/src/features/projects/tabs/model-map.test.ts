// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { Project } from "@/lib/api/types";

import { listWantedModels, toModelMap } from "./model-map";

describe("map of models", () => {
  it("lists each name once, and every other one last", () => {
    const project = {
      modelMap: { "*": "big", old: "small", "gpt-4o": "big" },
      version: { inspection: { models: ["gpt-4o", "o1"] } },
    } as unknown as Project;
    expect(listWantedModels(project)).toEqual(["gpt-4o", "o1", "old", "*"]);
  });

  it("leaves out names without a model", () => {
    expect(toModelMap({ "gpt-4o": "big", o1: "" })).toEqual({ "gpt-4o": "big" });
  });
});
