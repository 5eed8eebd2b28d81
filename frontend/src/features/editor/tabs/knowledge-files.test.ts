import { describe, expect, it } from "vitest";

import { createForm } from "./knowledge-files";

const file = (name: string, content = "x") => new File([content], name);

describe("createForm", () => {
  it("sends every file with its name", () => {
    const created = createForm([file("a.md"), file("B.PDF")], 10);

    expect(
      "form" in created && created.form.getAll("files").map((one) => (one as File).name),
    ).toEqual(["a.md", "B.PDF"]);
  });

  it.each([
    [[file("a.exe")], "a.exe cannot be searched. Choose text, Markdown, PDF, CSV or JSON."],
    [[file("a.txt", "")], "a.txt is empty."],
    [[file("a.txt", "x".repeat(11))], "a.txt is larger than 10 B. Split it into several."],
    [Array.from({ length: 21 }, () => file("a.txt")), "Choose at most 20 files at a time."],
  ])("says why files cannot be uploaded", (files, problem) => {
    expect(createForm(files, 10)).toEqual({ problem });
  });
});
