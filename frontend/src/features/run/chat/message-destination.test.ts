import { expect, test } from "vitest";

import type { RunState } from "@/lib/api/types";

import { becomesFeedback, destination } from "./message-destination";

const task = (key: string, agent: string, state: "running" | "waiting" | "pending") => ({
  key,
  agent,
  state,
});
const AT_WORK = [task("research", "researcher", "running"), task("draft", "writer", "pending")];
const ASKING = [task("draft", "writer", "waiting")];

test.each<[RunState, "human-input" | "budget" | null, typeof AT_WORK, string | null, RegExp]>([
  ["running", null, AT_WORK, null, /^researcher is at work and reads the message in its next/],
  ["running", null, AT_WORK, "researcher", /^researcher is at work/],
  ["running", null, AT_WORK, "writer", /^writer is not at work now: the message is queued/],
  ["running", null, [], null, /^The agent is at work/],
  ["running", null, [], "writer", /^writer is at work/],
  ["queued", null, [], null, /queued for the first agent at work/],
  ["queued", null, [], "writer", /queued for writer/],
  ["waiting", "human-input", ASKING, null, /back to writer as feedback on draft/],
  ["waiting", "human-input", [], null, /back as feedback/],
  ["waiting", "budget", [], null, /waits for its budget: the message is queued for whoever/],
  ["stopping", null, AT_WORK, null, /no agent will read/],
  ["completed", null, [], null, /^The run is over/],
  ["failed", null, [], null, /^The run is over/],
  ["stopped", null, [], null, /^The run is over/],
  ["crashed", null, [], null, /^The run is over/],
])("a %s run (%s) takes a message so", (status, waitReason, tasks, agent, words) => {
  expect(destination({ status, waitReason }, tasks, agent)).toMatch(words);
});

test("only words to a question become feedback", () => {
  expect(becomesFeedback({ status: "waiting", waitReason: "human-input" })).toBe(true);
  expect(becomesFeedback({ status: "waiting", waitReason: "budget" })).toBe(false);
  expect(becomesFeedback({ status: "running", waitReason: null })).toBe(false);
});
