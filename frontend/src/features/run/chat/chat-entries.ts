import type { Message, Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import {
  isSameMessage,
  type ChatState,
  type MessageDetails,
  type PendingMessage,
} from "./chat-store";

export interface DeliveryStep {
  state: "sending" | "queued" | "delivered" | "answered" | "undelivered";
  label: string;
  at: string | null;
}

export interface Reply {
  /** Shown as the sender: an agent's key, or what the reply is based on. */
  from: string;
  /** How the reply was generated. */
  source: string;
  text: string;
  at: string | null;
  isStreaming: boolean;
}

/** A user message with its delivery status and replies. */
export interface ChatEntry {
  key: string;
  text: string;
  agent: string | null;
  createdBy: string | null;
  at: string;
  delivery: DeliveryStep[];
  replies: Reply[];
  error: string | null;
  /** Id of the pending message that could not be sent. */
  unsentId: string | null;
}

type RunStatus = Pick<Run, "status" | "finishedAt">;

/** The conversation, oldest first: the server's messages, then those still on their way. */
export function buildChatEntries(
  messages: readonly Message[],
  { pending, details }: Pick<ChatState, "pending" | "details">,
  run: RunStatus,
): ChatEntry[] {
  const stored = new Map<string, PendingMessage>();
  const unstored: PendingMessage[] = [];
  for (const candidate of pending) {
    const match = messages.find(
      (message) => isSameMessage(candidate, message) && !stored.has(message.id),
    );
    if (match && !candidate.error) stored.set(match.id, candidate);
    else unstored.push(candidate);
  }
  return [
    ...messages.map((message) =>
      messageEntry(message, stored.get(message.id), details[message.id], run),
    ),
    ...unstored.map((message) => pendingEntry(message, run)),
  ];
}

function messageEntry(
  message: Message,
  pending: PendingMessage | undefined,
  details: MessageDetails | undefined,
  run: RunStatus,
): ChatEntry {
  return {
    key: message.id,
    text: message.text,
    agent: message.agent,
    createdBy: message.createdByName,
    at: message.createdAt,
    delivery: deliverySteps(message, run),
    replies: repliesTo(message, pending, details),
    error: details?.error ?? null,
    unsentId: null,
  };
}

function pendingEntry(message: PendingMessage, run: RunStatus): ChatEntry {
  const label = message.isAccepted ? "Sent, waiting for the reply…" : "Sending…";
  const sender = hasEnded(run.status) ? RESULT : UNKNOWN;
  return {
    key: message.id,
    text: message.text,
    agent: message.agent,
    createdBy: null,
    at: message.sentAt,
    delivery: message.error ? [] : [{ state: "sending", label, at: null }],
    replies: message.reply ? [streamingReply(message.reply, sender)] : [],
    error: message.error,
    unsentId: message.error ? message.id : null,
  };
}

/** The delivery status of a message, step by step. */
export function deliverySteps(message: Message, run: RunStatus): DeliveryStep[] {
  if (isQuestion(message)) {
    return message.status === "answered"
      ? [answeredStep(message)]
      : [{ state: "queued", label: "Not answered yet", at: message.createdAt }];
  }
  const steps: DeliveryStep[] = [
    { state: "queued", label: `Queued for ${message.agent ?? "any agent"}`, at: message.createdAt },
  ];
  if (message.call !== null) {
    const label = `Delivered to ${message.deliveredTo ?? "the agent"} in call ${message.call}`;
    steps.push({ state: "delivered", label, at: message.deliveredAt });
  }
  if (message.status === "answered") steps.push(answeredStep(message));
  const label = CLOSED_LABELS[message.status];
  if (label) steps.push({ state: "undelivered", label, at: run.finishedAt });
  return steps;
}

const CLOSED_LABELS: Partial<Record<Message["status"], string>> = {
  undelivered: "Not delivered: the run had ended",
  unanswered: "Not answered: the run ended first",
};

/** True for a message sent after the run ended, which is answered from its result. */
function isQuestion({ answeredBy, status, call }: Message): boolean {
  return answeredBy === "result" || (status === "unanswered" && call === null);
}

function answeredStep(message: Message): DeliveryStep {
  const label = {
    agent: `Answered by ${message.deliveredTo ?? "the agent"}`,
    "live-state": "Answered from the live state",
    approval: "Used as feedback",
    result: "Answered from the result",
  }[message.answeredBy ?? "agent"];
  return { state: "answered", label, at: message.answeredAt };
}

type Sender = Pick<Reply, "from" | "source">;

const RESULT: Sender = { from: "Result", source: "generated from the run's result" };
const LIVE_STATE: Sender = {
  from: "Live state",
  source: "generated from the run's current state, not by an agent",
};
const UNKNOWN: Sender = { from: "Reply", source: "" };
const FEEDBACK: Sender = { from: "Run", source: "" };

function repliesTo(
  message: Message,
  pending: PendingMessage | undefined,
  details: MessageDetails | undefined,
): Reply[] {
  const replies: Reply[] = [];
  if (details?.liveReply) {
    const { answeredBy, ...reply } = details.liveReply;
    const sender = answeredBy === "result" ? RESULT : LIVE_STATE;
    replies.push({ ...sender, ...reply, isStreaming: false });
  }
  if (message.answer !== null) {
    const at = message.answeredAt;
    replies.push({ ...senderOf(message), text: message.answer, at, isStreaming: false });
  } else if (pending?.reply) {
    const sender = message.call === null ? LIVE_STATE : agentSender(message);
    replies.push(streamingReply(pending.reply, sender));
  }
  return replies;
}

function streamingReply(text: string, sender: Sender): Reply {
  return { ...sender, text, at: null, isStreaming: true };
}

function senderOf(message: Message): Sender {
  if (message.answeredBy === "result") return RESULT;
  return message.answeredBy === "approval" ? FEEDBACK : agentSender(message);
}

function agentSender(message: Message): Sender {
  return { from: message.deliveredTo ?? "Agent", source: "agent" };
}
