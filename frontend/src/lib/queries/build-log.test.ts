import { describe, expect, it } from "vitest";

import type { BuildState, VersionBuild } from "@/lib/api/types";

import { appendPart } from "./build-log";

const build = (status: BuildState, number = 1) => ({ status, number }) as VersionBuild;

describe("appendPart", () => {
  it("collects the parts of a log until the build has ended", () => {
    const first = appendPart(null, { text: "one\n", next: 3, build: build("building") });
    expect(first).toMatchObject({ text: "one\n", next: 3, isComplete: false });

    const second = appendPart(first, { text: "two\n", next: 5, build: build("ready") });
    expect(second).toMatchObject({ text: "one\ntwo\n", next: 5, isComplete: false });

    const last = appendPart(second, { text: "", next: 5, build: build("ready") });
    expect(last).toMatchObject({ text: "one\ntwo\n", isComplete: true });
  });

  it("is not complete while a build without new lines continues", () => {
    const log = appendPart(null, { text: "", next: 0, build: build("queued") });
    expect(log?.isComplete).toBe(false);
  });

  it("starts again with the log of a newer build", () => {
    const old = appendPart(null, { text: "old", next: 9, build: build("failed") });
    expect(appendPart(old, { text: "", next: 9, build: build("building", 2) })).toBeNull();
  });
});
