import { expect, test } from "vitest";

import { selectLine } from "./select-line";

test("selects a line of a textarea, including the last one", () => {
  const area = document.createElement("textarea");
  document.body.append(area);
  area.value = "one\ntwo\nthree";
  const getSelection = () => area.value.slice(area.selectionStart, area.selectionEnd);
  selectLine(area, 2);
  expect(getSelection()).toBe("two");
  selectLine(area, 3);
  expect(getSelection()).toBe("three");
  expect(document.activeElement).toBe(area);
  area.remove();
});
