// @vitest-environment node
import { describe, expect, it } from "vitest";

import { isFiltered, noRunsMessage, periodOf, toRunListQuery } from "./run-filters";

const NOW = Date.parse("2026-11-22T18:00:00Z");

describe("toRunListQuery", () => {
  it("is empty without filters", () => {
    expect(toRunListQuery({}, NOW)).toEqual({});
  });

  it("passes states, workflow and text", () => {
    expect(toRunListQuery({ status: ["failed"], workflow: "wf_1", q: "brief" }, NOW)).toEqual({
      status: ["failed"],
      workflowId: "wf_1",
      q: "brief",
    });
  });

  it.each([
    ["24h", "2026-11-21T18:00:00.000Z"],
    ["7d", "2026-11-15T18:00:00.000Z"],
    ["30d", "2026-10-23T18:00:00.000Z"],
  ])("resolves %s relative to now", (since, expected) => {
    expect(toRunListQuery({ since }, NOW)).toEqual({ since: expected });
  });

  it("covers whole days in the browser's time zone", () => {
    expect(toRunListQuery({ since: "2026-11-20", until: "2026-11-21" }, NOW)).toEqual({
      since: new Date(2026, 10, 20).toISOString(),
      until: new Date(2026, 10, 22).toISOString(),
    });
  });

  it("passes timestamps and drops invalid dates", () => {
    const at = "2026-11-20T08:30:00.000Z";
    expect(toRunListQuery({ since: at, until: at }, NOW)).toEqual({ since: at, until: at });
    expect(toRunListQuery({ since: "yesterday", until: "2026-13-45" }, NOW)).toEqual({});
  });

  it("cuts a text that is too long for the API", () => {
    expect(toRunListQuery({ q: "x".repeat(300) }, NOW).q).toHaveLength(200);
  });
});

describe("periodOf", () => {
  it.each([
    [{}, "any"],
    [{ since: "7d" }, "7d"],
    [{ since: "7d", until: "2026-11-22" }, "custom"],
    [{ since: "2026-11-22" }, "custom"],
    [{ until: "2026-11-22" }, "custom"],
  ])("reads %o as %s", (search, period) => {
    expect(periodOf(search)).toBe(period);
  });
});

describe("noRunsMessage", () => {
  it.each([
    [{ status: ["failed"], since: "7d" }, "No failed runs in the last 7 days"],
    [{ status: ["failed", "crashed"] }, "No failed or crashed runs"],
    [
      { status: ["queued", "stopping", "failed"], q: "brief" },
      "No queued, stopping or failed runs matching “brief”",
    ],
    [{ workflow: "wf_1", since: "2026-11-22" }, "No runs of Daily brief in the selected period"],
  ] as const)("describes %o as %s", (search, message) => {
    const { status, ...rest } = { status: undefined, ...search };
    expect(noRunsMessage({ ...rest, status: status && [...status] }, "Daily brief")).toBe(message);
  });
});

it("isFiltered ignores empty filters", () => {
  expect(isFiltered({})).toBe(false);
  expect(isFiltered({ q: undefined, status: [] })).toBe(false);
  expect(isFiltered({ since: "24h" })).toBe(true);
});
