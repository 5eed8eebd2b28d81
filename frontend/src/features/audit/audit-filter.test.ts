import { describe, expect, it } from "vitest";

import { isFiltered, toAuditQuery } from "./audit-filter";

describe("toAuditQuery", () => {
  it("includes the last day", () => {
    const { since, until } = toAuditQuery({ since: "2026-11-22", until: "2026-11-22" });

    expect(Date.parse(until ?? "") - Date.parse(since ?? "")).toBe(24 * 3_600_000);
  });

  it("leaves out what the API would refuse", () => {
    expect(toAuditQuery({ since: "yesterday", actor: "  ", target: "run_1 " })).toEqual({
      target: "run_1",
    });
  });
});

describe("isFiltered", () => {
  it("is true for any filter", () => {
    expect([isFiltered({}), isFiltered({ result: "refused" })]).toEqual([false, true]);
  });
});
