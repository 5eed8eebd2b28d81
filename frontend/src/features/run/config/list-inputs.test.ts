// @vitest-environment node
import { expect, it } from "vitest";

import { sampleRun } from "../testing/run-fixtures";

import { listInputs } from "./list-inputs";

it("lists declared inputs in order, then all others", () => {
  const run = sampleRun({ inputs: { extra: 1, topic: "bees" } });
  run.definition.inputs = [
    { name: "topic", type: "string", required: true },
    { name: "size", type: "integer", required: true },
  ];
  expect(listInputs(run)).toEqual([
    { name: "topic", type: "string", value: "bees" },
    { name: "size", type: "integer", value: undefined },
    { name: "extra", type: "", value: 1 },
  ]);
});
