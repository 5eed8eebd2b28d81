import { expect, test } from "vitest";

import { fileName } from "./download-workflow";
import { inWords } from "./recent-runs";
import { selectLine } from "./select-line";

test.each([
  [`attachment; filename="a.yaml"; filename*=UTF-8''%C3%A4.yaml`, "ä.yaml"],
  ['attachment; filename="crew.zip"', "crew.zip"],
  ["attachment", null],
  [null, null],
])("the file of %j is %j", (header, name) => {
  expect(fileName(header)).toBe(name);
});

const run = (status: "completed" | "failed") => ({ id: "r", seconds: 1, status });

test("recent runs in words", () => {
  expect(inWords([run("completed"), run("failed"), run("completed")])).toBe(
    "The last 3 runs: 2 completed, 1 failed",
  );
});

test("a line of a text is selected, the last too", () => {
  const area = document.createElement("textarea");
  document.body.append(area);
  area.value = "one\ntwo\nthree";
  const selected = () => area.value.slice(area.selectionStart, area.selectionEnd);
  selectLine(area, 2);
  expect(selected()).toBe("two");
  selectLine(area, 3);
  expect(selected()).toBe("three");
  expect(document.activeElement).toBe(area);
  area.remove();
});
