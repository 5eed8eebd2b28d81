import type { Message, Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { isOf, type Note, type TalkState, type Turn } from "./chat-store";

export interface Receipt {
  state: "sending" | "queued" | "delivered" | "answered" | "lost";
  words: string;
  at: string | null;
}

export interface Reply {
  /** Who speaks, as a heading: an agent's key, or what the words were drawn from. */
  from: string;
  /** What the reader should know about where the words come from. */
  source: string;
  text: string;
  at: string | null;
  streaming: boolean;
}

/** One message of a person and all that came of it. */
export interface Line {
  key: string;
  text: string;
  agent: string | null;
  by: string | null;
  at: string;
  receipts: Receipt[];
  replies: Reply[];
  problem: string | null;
  /** The turn that was not sent, for sending it again. */
  unsent: string | null;
}

type Standing = Pick<Run, "status" | "finishedAt">;

/** The conversation, oldest first: the server's messages, and what is still on its way to it. */
export function linesOf(messages: readonly Message[], talk: TalkState, run: Standing): Line[] {
  const turns = new Map<string, Turn>();
  const onTheirWay: Turn[] = [];
  for (const turn of talk.turns) {
    const arrived = messages.find((message) => isOf(turn, message) && !turns.has(message.id));
    if (arrived && !turn.error) turns.set(arrived.id, turn);
    else onTheirWay.push(turn);
  }
  return [
    ...messages.map((one) => lineOf(one, turns.get(one.id), talk.notes[one.id], run)),
    ...onTheirWay.map((turn) => lineOfTurn(turn, run)),
  ];
}

function lineOf(
  message: Message,
  turn: Turn | undefined,
  note: Note | undefined,
  run: Standing,
): Line {
  return {
    key: message.id,
    text: message.text,
    agent: message.agent,
    by: message.createdBy,
    at: message.createdAt,
    receipts: receiptsOf(message, run),
    replies: repliesOf(message, turn, note),
    problem: note?.error ?? null,
    unsent: null,
  };
}

function lineOfTurn(turn: Turn, run: Standing): Line {
  const words = turn.sent ? "Sent, waiting for the answer…" : "Sending…";
  const sending: Receipt = { state: "sending", words, at: null };
  return {
    key: turn.id,
    text: turn.text,
    agent: turn.agent,
    by: null,
    at: turn.sentAt,
    receipts: turn.error ? [] : [sending],
    replies: turn.words ? [streamed(turn.words, hasEnded(run.status) ? RESULT : UNKNOWN)] : [],
    problem: turn.error,
    unsent: turn.error ? turn.id : null,
  };
}

/** What became of a message, step by step. */
export function receiptsOf(message: Message, run: Standing): Receipt[] {
  if (isQuestion(message, run)) return receiptsOfQuestion(message);
  const to = message.agent ?? "whoever is at work";
  const receipts: Receipt[] = [
    { state: "queued", words: `Queued for ${to}`, at: message.createdAt },
  ];
  if (message.call !== null) {
    const words = `Delivered to ${message.deliveredTo ?? "the agent"} in call ${message.call}`;
    receipts.push({ state: "delivered", words, at: message.deliveredAt });
  }
  if (message.status === "answered") receipts.push(answeredReceipt(message));
  else if (hasEnded(run.status)) {
    const words =
      message.call === null
        ? "The run ended before it was delivered"
        : "The run ended without an answer";
    receipts.push({ state: "lost", words, at: run.finishedAt });
  }
  return receipts;
}

/** True for what was asked after the run's end: such a message is for no agent. */
function isQuestion(message: Message, run: Standing): boolean {
  if (message.answeredBy === "result") return true;
  return run.finishedAt !== null && Date.parse(message.createdAt) >= Date.parse(run.finishedAt);
}

function receiptsOfQuestion(message: Message): Receipt[] {
  if (message.status === "answered") return [answeredReceipt(message)];
  return [{ state: "queued", words: "Not answered yet", at: message.createdAt }];
}

function answeredReceipt(message: Message): Receipt {
  const words = {
    agent: `Answered by ${message.deliveredTo ?? "the agent"}`,
    "live-state": "Taken as feedback",
    result: "Answered from the result",
  }[message.answeredBy ?? "agent"];
  return { state: "answered", words, at: message.answeredAt };
}

type Speaker = Pick<Reply, "from" | "source">;

const RESULT: Speaker = {
  from: "Result",
  source: "by a model, from what the run brought",
};
const LIVE: Speaker = {
  from: "Live state",
  source: "by a model, from what is known of the run; no agent",
};
const UNKNOWN: Speaker = { from: "Reply", source: "" };
const FEEDBACK: Speaker = { from: "Run", source: "" };

function repliesOf(message: Message, turn: Turn | undefined, note: Note | undefined): Reply[] {
  const replies: Reply[] = [];
  if (note?.live) replies.push({ ...LIVE, ...note.live, streaming: false });
  if (message.answer !== null) {
    const at = message.answeredAt;
    replies.push({ ...speakerOf(message), text: message.answer, at, streaming: false });
  } else if (turn?.words) {
    replies.push(streamed(turn.words, message.call === null ? LIVE : agentOf(message)));
  }
  return replies;
}

function streamed(text: string, speaker: Speaker): Reply {
  return { ...speaker, text, at: null, streaming: true };
}

function speakerOf(message: Message): Speaker {
  if (message.answeredBy === "result") return RESULT;
  return message.answeredBy === "live-state" ? FEEDBACK : agentOf(message);
}

function agentOf(message: Message): Speaker {
  return { from: message.deliveredTo ?? "Agent", source: "the agent itself" };
}
