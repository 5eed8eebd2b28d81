// @vitest-environment node
import { describe, expect, it } from "vitest";

import { diffLines } from "./line-diff";

const show = (before: string, after: string) =>
  diffLines(before, after).map(
    ({ kind, text }) => `${{ same: " ", added: "+", removed: "-" }[kind]}${text}`,
  );

describe("diffLines", () => {
  it("keeps equal lines", () => {
    expect(show("a\nb", "a\nb")).toEqual([" a", " b"]);
  });

  it("shows what was added, removed and replaced", () => {
    expect(show("a\nb\nc", "a\nx\nc\nd")).toEqual([" a", "-b", "+x", " c", "+d"]);
    expect(show("a\nb", "b")).toEqual(["-a", " b"]);
    expect(show("", "a")).toEqual(["-", "+a"]);
  });

  it("does not compare very many lines", () => {
    const long = Array.from({ length: 1_100 }, (_, index) => String(index)).join("\n");
    expect(diffLines(long, `${long}\nx`)).toHaveLength(2_201);
  });
});
