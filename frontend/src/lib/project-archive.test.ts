// @vitest-environment node
import { describe, expect, it } from "vitest";

import { chooseArchive } from "./project-archive";

const file = (name: string, size = 1) =>
  Object.defineProperty(new File(["x"], name), "size", { value: size });

describe("chooseArchive", () => {
  it("accepts one zip", () => {
    const zip = file("Crew.ZIP");
    expect(chooseArchive([zip])).toEqual({ file: zip });
  });

  it.each([
    [[], /Choose the zip/],
    [[file("a.zip"), file("b.zip")], /one zip/],
    [[file("main.py")], /main\.py is not a zip/],
    [[file("a.zip", 0)], /empty/],
    [[file("a.zip", 64 * 1024 * 1024 + 1)], /larger than 64 MiB/],
  ])("explains why files are not accepted (%#)", (files, problem) => {
    expect(chooseArchive(files)).toEqual({ problem: expect.stringMatching(problem) as string });
  });
});
