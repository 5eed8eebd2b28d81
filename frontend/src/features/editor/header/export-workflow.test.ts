import { expect, it } from "vitest";

import { readFileName } from "./export-workflow";

it.each([
  [`attachment; filename="a.yaml"; filename*=UTF-8''%C3%A4.yaml`, "ä.yaml"],
  ['attachment; filename="a b.yaml"', "a b.yaml"],
  [null, undefined],
])("reads the file name from %j", (header, name) => {
  expect(readFileName(header)).toBe(name);
});
