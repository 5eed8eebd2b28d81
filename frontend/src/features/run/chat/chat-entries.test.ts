import { describe, expect, it } from "vitest";

import { sampleMessage, sampleRun } from "../testing/run-fixtures";

import { buildChatEntries, deliverySteps } from "./chat-entries";
import type { PendingMessage } from "./chat-store";

const NO_PENDING = { pending: [], details: {} };
const RUNNING = sampleRun();
const ENDED = sampleRun({ status: "completed", finishedAt: "2026-11-22T10:05:00Z" });
const DELIVERED = { status: "delivered", call: 3, deliveredTo: "writer" } as const;
const ANSWERED = {
  ...DELIVERED,
  status: "answered",
  answer: "Honey it is.",
  answeredBy: "agent",
} as const;

function pendingMessage(change: Partial<PendingMessage> = {}): PendingMessage {
  return {
    id: "pending-1",
    text: "Mention honey.",
    agent: null,
    sentAt: "2026-11-22T10:00:05Z",
    isAccepted: false,
    reply: "",
    error: null,
    knownIds: new Set(),
    ...change,
  };
}

const labels = (...args: Parameters<typeof deliverySteps>) =>
  deliverySteps(...args).map((step) => step.label);

describe("deliverySteps", () => {
  it("lists the steps from queued to answered", () => {
    expect(labels(sampleMessage(), RUNNING)).toEqual(["Queued for any agent"]);
    expect(labels(sampleMessage({ agent: "writer" }), RUNNING)).toEqual(["Queued for writer"]);
    expect(labels(sampleMessage(DELIVERED), RUNNING)).toEqual([
      "Queued for any agent",
      "Delivered to writer in call 3",
    ]);
    expect(labels(sampleMessage(ANSWERED), RUNNING).at(-1)).toBe("Answered by writer");
  });

  it("says when the run ended before delivery or answer", () => {
    expect(labels(sampleMessage({ status: "undelivered" }), ENDED)).toEqual([
      "Queued for any agent",
      "Not delivered: the run had ended",
    ]);
    expect(labels(sampleMessage({ ...DELIVERED, status: "unanswered" }), ENDED).at(-1)).toBe(
      "Not answered: the run ended first",
    );
    expect(labels(sampleMessage(ANSWERED), ENDED).at(-1)).toBe("Answered by writer");
  });

  it("names no agent for a question about an ended run", () => {
    const later = { status: "unanswered" } as const;
    expect(labels(sampleMessage(later), ENDED)).toEqual(["Not answered yet"]);
    const answered = {
      ...later,
      status: "answered",
      answer: "Six.",
      answeredBy: "result",
    } as const;
    expect(labels(sampleMessage(answered), ENDED)).toEqual(["Answered from the result"]);
  });
});

describe("buildChatEntries", () => {
  it("shows a message to a waiting run as feedback", () => {
    const used = { status: "answered", answer: "Sent back.", answeredBy: "approval" } as const;
    const [entry] = buildChatEntries([sampleMessage(used)], NO_PENDING, RUNNING);
    expect(entry?.delivery.at(-1)?.label).toBe("Used as feedback");
    expect(entry?.replies).toMatchObject([{ from: "Run", text: "Sent back." }]);
  });

  it("shows a pending message at the end until the server lists it", () => {
    const old = sampleMessage({ id: "msg_0" });
    const sending = pendingMessage({ knownIds: new Set(["msg_0"]), reply: "Hon" });
    const chat = { pending: [sending], details: {} };

    const before = buildChatEntries([old], chat, RUNNING);
    expect(before.map(({ key }) => key)).toEqual(["msg_0", "pending-1"]);
    expect(before[1]?.delivery[0]?.label).toBe("Sending…");

    const stored = sampleMessage({ ...DELIVERED, id: "msg_1" });
    const after = buildChatEntries([old, stored], chat, RUNNING);
    expect(after.map(({ key }) => key)).toEqual(["msg_0", "msg_1"]);
    expect(after[1]?.replies).toMatchObject([{ from: "writer", text: "Hon", isStreaming: true }]);
  });

  it("keeps two messages with the same text apart", () => {
    const chat = {
      pending: [pendingMessage(), pendingMessage({ id: "pending-2" })],
      details: {},
    };
    expect(buildChatEntries([sampleMessage()], chat, RUNNING).map(({ key }) => key)).toEqual([
      "msg_1",
      "pending-2",
    ]);
  });

  it("attributes a reply streamed before delivery to the live state", () => {
    const chat = { pending: [pendingMessage({ reply: "It is at…" })], details: {} };
    const [entry] = buildChatEntries([sampleMessage()], chat, RUNNING);
    expect(entry?.replies).toMatchObject([{ from: "Live state", isStreaming: true }]);
  });

  it("shows a reply from the live state together with the agent's reply", () => {
    const liveReply = {
      text: "Running.",
      at: "2026-11-22T10:00:09Z",
      answeredBy: "live-state",
    } as const;
    const chat = { pending: [], details: { msg_1: { liveReply } } };
    const [entry] = buildChatEntries([sampleMessage(ANSWERED)], chat, RUNNING);
    expect(entry?.replies.map(({ from, text }) => [from, text])).toEqual([
      ["Live state", "Running."],
      ["writer", "Honey it is."],
    ]);
  });

  it("shows a reply from the result with a message that a resume will deliver", () => {
    const liveReply = {
      text: "Stopped.",
      at: "2026-11-22T10:05:09Z",
      answeredBy: "result",
    } as const;
    const chat = { pending: [], details: { msg_1: { liveReply } } };
    const [entry] = buildChatEntries([sampleMessage({ status: "undelivered" })], chat, ENDED);
    expect(entry?.replies).toMatchObject([{ from: "Result", text: "Stopped." }]);
  });

  it("keeps the text and the error of an unsent message", () => {
    const chat = { pending: [pendingMessage({ error: "No connection" })], details: {} };
    const [entry] = buildChatEntries([], chat, RUNNING);
    expect(entry).toMatchObject({
      text: "Mention honey.",
      error: "No connection",
      unsentId: "pending-1",
      delivery: [],
    });
  });
});
