import { expect, test } from "vitest";

import { readFileName } from "./download-workflow";

test.each([
  [`attachment; filename="a.yaml"; filename*=UTF-8''%C3%A4.yaml`, "ä.yaml"],
  ['attachment; filename="crew.zip"', "crew.zip"],
  ["attachment", null],
  [null, null],
])("reads the file name from %j", (header, name) => {
  expect(readFileName(header)).toBe(name);
});
