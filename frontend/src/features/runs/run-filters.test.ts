import { describe, expect, it } from "vitest";

import { isFiltered, noRunsMessage, periodOf, toRunListQuery } from "./run-filters";

const NOW = Date.parse("2026-11-22T18:00:00Z");

describe("toQuery", () => {
  it("asks for everything without a filter", () => {
    expect(toRunListQuery({}, NOW)).toEqual({});
  });

  it("passes states, workflow and text on", () => {
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
  ])("counts %s back from now", (since, expected) => {
    expect(toRunListQuery({ since }, NOW)).toEqual({ since: expected });
  });

  it("takes a day from its first moment to its last, in this browser's time zone", () => {
    expect(toRunListQuery({ since: "2026-11-20", until: "2026-11-21" }, NOW)).toEqual({
      since: new Date(2026, 10, 20).toISOString(),
      until: new Date(2026, 10, 22).toISOString(),
    });
  });

  it("takes a moment as it is, and leaves out what is no time", () => {
    const at = "2026-11-20T08:30:00.000Z";
    expect(toRunListQuery({ since: at, until: at }, NOW)).toEqual({ since: at, until: at });
    expect(toRunListQuery({ since: "yesterday", until: "2026-13-45" }, NOW)).toEqual({});
  });

  it("cuts a text that the API would refuse", () => {
    expect(toRunListQuery({ q: "x".repeat(300) }, NOW).q).toHaveLength(200);
  });
});

describe("spanOf", () => {
  it.each([
    [{}, "any"],
    [{ since: "7d" }, "7d"],
    [{ since: "7d", until: "2026-11-22" }, "custom"],
    [{ since: "2026-11-22" }, "custom"],
    [{ until: "2026-11-22" }, "custom"],
  ])("reads %o as %s", (search, span) => {
    expect(periodOf(search)).toBe(span);
  });
});

describe("nothingFound", () => {
  it.each([
    [{ status: ["failed"], since: "7d" }, "No failed runs in the last 7 days"],
    [{ status: ["failed", "crashed"] }, "No failed or crashed runs"],
    [
      { status: ["queued", "stopping", "failed"], q: "brief" },
      "No queued, stopping or failed runs matching “brief”",
    ],
    [{ workflow: "wf_1", since: "2026-11-22" }, "No runs of Daily brief in the chosen time"],
  ] as const)("says %o as %s", (search, words) => {
    const { status, ...rest } = { status: undefined, ...search };
    expect(noRunsMessage({ ...rest, status: status && [...status] }, "Daily brief")).toBe(words);
  });
});

it("knows a filter from none", () => {
  expect(isFiltered({})).toBe(false);
  expect(isFiltered({ q: undefined, status: [] })).toBe(false);
  expect(isFiltered({ since: "24h" })).toBe(true);
});
