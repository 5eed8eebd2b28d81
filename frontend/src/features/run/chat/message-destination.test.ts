// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { RunState } from "@/lib/api/types";

import { isFeedback, messageDestination } from "./message-destination";

const task = (key: string, agent: string, state: "running" | "waiting" | "pending") => ({
  key,
  agent,
  state,
});
const RUNNING = [task("research", "researcher", "running"), task("draft", "writer", "pending")];
const WAITING = [task("draft", "writer", "waiting")];

describe("messageDestination", () => {
  it.each<[RunState, "human-input" | "budget" | null, typeof RUNNING, string | null, RegExp]>([
    ["running", null, RUNNING, null, /^researcher is running and reads the message in its next/],
    ["running", null, RUNNING, "researcher", /^researcher is running/],
    ["running", null, RUNNING, "writer", /^writer is not running: the message is queued/],
    ["running", null, [], null, /^The agent is running/],
    ["running", null, [], "writer", /^writer is running/],
    ["queued", null, [], null, /queued for the first agent/],
    ["queued", null, [], "writer", /queued for writer/],
    ["waiting", "human-input", WAITING, null, /back to writer as feedback on draft/],
    ["waiting", "human-input", [], null, /back as feedback/],
    ["waiting", "budget", [], null, /waiting for budget: the message is queued for the next agent/],
    ["stopping", null, RUNNING, null, /no agent will read/],
    ["completed", null, [], null, /^The run has ended/],
    ["failed", null, [], null, /^The run has ended/],
    ["stopped", null, [], null, /^The run has ended/],
    ["crashed", null, [], null, /^The run has ended/],
  ])("explains a message to a %s run (%s)", (status, waitReason, tasks, agent, expected) => {
    const run = { status, waitReason, projectId: null };
    expect(messageDestination(run, tasks, agent)).toMatch(expected);
  });

  it.each([
    ["running", null, /receives no messages: a model answers/],
    ["waiting", "human-input", /the message is the answer/],
    ["completed", null, /^The run has ended/],
  ] as const)("explains a message to a project that is %s", (status, waitReason, expected) => {
    expect(messageDestination({ status, waitReason, projectId: "proj_1" }, [], null)).toMatch(
      expected,
    );
  });
});

describe("isFeedback", () => {
  it("is true only while the run waits for human input", () => {
    expect(isFeedback({ status: "waiting", waitReason: "human-input" })).toBe(true);
    expect(isFeedback({ status: "waiting", waitReason: "budget" })).toBe(false);
    expect(isFeedback({ status: "running", waitReason: null })).toBe(false);
  });
});
