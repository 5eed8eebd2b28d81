// @vitest-environment node
import { describe, expect, it } from "vitest";

import { findNameProblem, listSecretRows } from "./secret-rows";

describe("secrets", () => {
  it("are listed with the names that the code reads", () => {
    const rows = listSecretRows([{ name: "B", updatedAt: "today" }], ["C", "B", "A"], ["C"]);
    expect(rows).toEqual([
      { name: "A", updatedAt: null, isProvided: false },
      { name: "B", updatedAt: "today", isProvided: false },
      { name: "C", updatedAt: null, isProvided: true },
    ]);
  });

  it.each(["A", "_a1", "SERPER_API_KEY"])("may have the name %s", (name) => {
    expect(findNameProblem(name)).toBeNull();
  });

  it.each(["", "1A", "A-B", "A B", "Ä", "A".repeat(129)])("may not have the name %j", (name) => {
    expect(findNameProblem(name)).not.toBeNull();
  });
});
