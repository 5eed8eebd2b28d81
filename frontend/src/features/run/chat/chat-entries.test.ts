import { expect, test } from "vitest";

import { linesOf, receiptsOf } from "./chat-entries";
import type { TalkState, Turn } from "./chat-store";
import { sampleMessage, sampleRun } from "../testing/run-fixtures";

const SILENT: TalkState = { turns: [], notes: {} };
const RUNNING = sampleRun();
const OVER = sampleRun({ status: "completed", finishedAt: "2026-11-22T10:05:00Z" });
const DELIVERED = { status: "delivered", call: 3, deliveredTo: "writer" } as const;
const ANSWERED = {
  ...DELIVERED,
  status: "answered",
  answer: "Honey it is.",
  answeredBy: "agent",
} as const;

function turn(change: Partial<Turn> = {}): Turn {
  return {
    id: "turn-1",
    text: "Mention honey.",
    agent: null,
    sentAt: "2026-11-22T10:00:05Z",
    sent: false,
    words: "",
    error: null,
    known: new Set(),
    ...change,
  };
}

const words = (...given: Parameters<typeof receiptsOf>) =>
  receiptsOf(...given).map((receipt) => receipt.words);

test("receipts tell a message's way", () => {
  expect(words(sampleMessage(), RUNNING)).toEqual(["Queued for whoever is at work"]);
  expect(words(sampleMessage({ agent: "writer" }), RUNNING)).toEqual(["Queued for writer"]);
  expect(words(sampleMessage(DELIVERED), RUNNING)).toEqual([
    "Queued for whoever is at work",
    "Delivered to writer in call 3",
  ]);
  expect(words(sampleMessage(ANSWERED), RUNNING).at(-1)).toBe("Answered by writer");
});

test("an ended run owes nothing silently", () => {
  expect(words(sampleMessage(), OVER).at(-1)).toBe("The run ended before it was delivered");
  expect(words(sampleMessage(DELIVERED), OVER).at(-1)).toBe("The run ended without an answer");
  expect(words(sampleMessage(ANSWERED), OVER).at(-1)).toBe("Answered by writer");
});

test("a question to an ended run is for no agent", () => {
  const later = { createdAt: "2026-11-22T10:06:00Z" };
  expect(words(sampleMessage(later), OVER)).toEqual(["Not answered yet"]);
  const answered = { ...later, status: "answered", answer: "Six.", answeredBy: "result" } as const;
  expect(words(sampleMessage(answered), OVER)).toEqual(["Answered from the result"]);
});

test("words to a waiting run are told as feedback", () => {
  const taken = { status: "answered", answer: "Sent back.", answeredBy: "live-state" } as const;
  const [line] = linesOf([sampleMessage(taken)], SILENT, RUNNING);
  expect(line?.receipts.at(-1)?.words).toBe("Taken as feedback");
  expect(line?.replies).toMatchObject([{ from: "Run", text: "Sent back." }]);
});

test("a message on its way stands at the end until the server has it, then once", () => {
  const old = sampleMessage({ id: "msg_0" });
  const sending = turn({ known: new Set(["msg_0"]), words: "Hon" });
  const talk = { turns: [sending], notes: {} };

  const before = linesOf([old], talk, RUNNING);
  expect(before.map((line) => line.key)).toEqual(["msg_0", "turn-1"]);
  expect(before[1]?.receipts[0]?.words).toBe("Sending…");

  const after = linesOf([old, sampleMessage({ ...DELIVERED, id: "msg_1" })], talk, RUNNING);
  expect(after.map((line) => line.key)).toEqual(["msg_0", "msg_1"]);
  expect(after[1]?.replies).toMatchObject([{ from: "writer", text: "Hon", streaming: true }]);
});

test("the same words sent twice are two messages", () => {
  const talk = { turns: [turn(), turn({ id: "turn-2" })], notes: {} };
  expect(linesOf([sampleMessage()], talk, RUNNING).map(({ key }) => key)).toEqual([
    "msg_1",
    "turn-2",
  ]);
});

test("words that stream before any agent has the message come from the live state", () => {
  const talk = { turns: [turn({ words: "It is at…" })], notes: {} };
  const [line] = linesOf([sampleMessage()], talk, RUNNING);
  expect(line?.replies).toMatchObject([{ from: "Live state", streaming: true }]);
});

test("a reply by the live state stays beside the agent's own", () => {
  const notes = { msg_1: { live: { text: "At work.", at: "2026-11-22T10:00:09Z" } } };
  const [line] = linesOf([sampleMessage(ANSWERED)], { turns: [], notes }, RUNNING);
  expect(line?.replies.map(({ from, text }) => [from, text])).toEqual([
    ["Live state", "At work."],
    ["writer", "Honey it is."],
  ]);
});

test("what was not sent keeps its text and says why", () => {
  const talk = { turns: [turn({ error: "No connection" })], notes: {} };
  const [line] = linesOf([], talk, RUNNING);
  expect(line).toMatchObject({
    text: "Mention honey.",
    problem: "No connection",
    unsent: "turn-1",
    receipts: [],
  });
});
