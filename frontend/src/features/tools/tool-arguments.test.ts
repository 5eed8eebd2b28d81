// @vitest-environment node
import { expect, it } from "vitest";

import { toArguments } from "./tool-arguments";

const argument = (name: string, type: string) => ({ name, type, description: "", required: false });

it("reads typed text by the type of the argument", () => {
  const args = [argument("q", "string"), argument("n", "integer"), argument("list", "array")];

  expect(toArguments(args, { q: "7", n: "7", list: "[1]" })).toEqual({ q: "7", n: 7, list: [1] });
  expect(toArguments(args, { q: "", n: "many" })).toEqual({ n: "many" });
});
