// @vitest-environment node
import { describe, expect, it } from "vitest";

import { scoreCommand } from "./score-command";

const best = (typed: string, names: string[]) =>
  names.toSorted((a, b) => scoreCommand(b, typed) - scoreCommand(a, typed))[0];

describe("scoreCommand", () => {
  it("ranks a page above workflows whose names contain its name", () => {
    const names = ["Run: Runs of the week", "Nightly runs", "Runs", "Runs report"];

    expect(best("runs", names)).toBe("Runs");
  });

  it("ranks the start of a name above the start of a word, and that above its middle", () => {
    expect(best("mark", ["Remarkable", "New market", "Market research"])).toBe("Market research");
    expect(best("mark", ["Remarkable", "New market"])).toBe("New market");
  });

  it("matches words in any order", () => {
    expect(scoreCommand("Market research", "res mark")).toBeGreaterThan(0);
    expect(scoreCommand("Market research", "res money")).toBe(0);
  });

  it("ignores case, accents and punctuation", () => {
    expect(scoreCommand("Résumé & letters", "resume letters")).toBe(1);
    expect(scoreCommand("Providers & models", "providers models")).toBe(1);
    expect(scoreCommand("nightly-report", "Nightly report")).toBe(1);
  });

  it("ranks keywords below the name", () => {
    expect(scoreCommand("Market research", "run_9f3a", ["run_9f3a"])).toBe(0.5);
    expect(scoreCommand("Theme: dark", "dark mode", ["dark mode"])).toBe(0.5);
  });

  it("hides what does not match, and shows everything for an empty query", () => {
    expect(scoreCommand("Runs", "xyz", ["night"])).toBe(0);
    expect(scoreCommand("Runs", "  ")).toBe(1);
  });
});
