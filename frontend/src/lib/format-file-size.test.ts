// @vitest-environment node
import { expect, it } from "vitest";

import { formatFileSize } from "./format-file-size";

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [13_600, "13.6 kB"],
  [2_000_000, "2 MB"],
])("formats %i bytes as %s", (bytes, expected) => {
  expect(formatFileSize(bytes)).toBe(expected);
});
