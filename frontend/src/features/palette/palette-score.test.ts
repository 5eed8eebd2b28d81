// @vitest-environment node
import { describe, expect, it } from "vitest";

import { scoreOf } from "./palette-score";

const best = (typed: string, names: string[]) =>
  names.toSorted((a, b) => scoreOf(b, typed) - scoreOf(a, typed))[0];

describe("the palette's order", () => {
  it("puts the page before the workflows whose names hold its name", () => {
    const names = ["Run: Runs of the week", "Nightly runs", "Runs", "Runs report"];

    expect(best("runs", names)).toBe("Runs");
  });

  it("puts the start of a name before the start of a word, and that before its middle", () => {
    expect(best("mark", ["Remarkable", "New market", "Market research"])).toBe("Market research");
    expect(best("mark", ["Remarkable", "New market"])).toBe("New market");
  });

  it("finds words in any order", () => {
    expect(scoreOf("Market research", "res mark")).toBeGreaterThan(0);
    expect(scoreOf("Market research", "res money")).toBe(0);
  });

  it("overlooks case, accents and punctuation", () => {
    expect(scoreOf("Résumé & letters", "resume letters")).toBe(1);
    expect(scoreOf("Providers & models", "providers models")).toBe(1);
    expect(scoreOf("nightly-report", "Nightly report")).toBe(1);
  });

  it("looks at the words beside the name, but thinks less of them", () => {
    expect(scoreOf("Market research", "run_9f3a", ["run_9f3a"])).toBe(0.5);
    expect(scoreOf("Theme: dark", "dark mode", ["dark mode"])).toBe(0.5);
  });

  it("hides what does not fit, and shows everything while nothing is typed", () => {
    expect(scoreOf("Runs", "xyz", ["night"])).toBe(0);
    expect(scoreOf("Runs", "  ")).toBe(1);
  });
});
