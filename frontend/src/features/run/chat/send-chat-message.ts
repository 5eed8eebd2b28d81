import { createParser } from "eventsource-parser";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { ChatAnswer } from "@/lib/api/types";

export interface OutgoingMessage {
  runId: string;
  text: string;
  agent: string | null;
}

interface Callbacks {
  /** The server has accepted the message. */
  onAccepted: () => void;
  /** A part of the reply, or one that replaces all parts before it. */
  onChunk: (chunk: string, replaces: boolean) => void;
}

/** Sends a message and waits for the complete reply. */
export async function sendChatMessage(
  { runId, text, agent }: OutgoingMessage,
  { onAccepted, onChunk }: Callbacks,
): Promise<ChatAnswer> {
  const response = await api.POST("/api/v1/chat", {
    body: { workflowId: runId, message: text, agent },
    headers: { Accept: "text/event-stream" },
    parseAs: "stream",
  });
  onAccepted();
  return readReply(body(response) as unknown as ReadableStream<Uint8Array>, onChunk);
}

/** Queues a message for the agents of an active run without waiting for a reply. */
export async function queueMessage({ runId, text, agent }: OutgoingMessage): Promise<void> {
  await api.POST("/api/v1/runs/{run_id}/messages", {
    params: { path: { run_id: runId } },
    body: { text, agent },
  });
}

async function readReply(
  stream: ReadableStream<Uint8Array>,
  onChunk: Callbacks["onChunk"],
): Promise<ChatAnswer> {
  let answer: ChatAnswer | undefined;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      const payload = JSON.parse(data) as Record<string, unknown>;
      if (event === "chunk") onChunk(String(payload.text), payload.replaces === true);
      if (event === "answer") answer = payload as ChatAnswer;
      if (event === "problem") throw new ApiProblem(Number(payload.status), payload);
    },
  });
  const reader = stream.pipeThrough(new TextDecoderStream() as never).getReader();
  for (;;) {
    const { done, value } = await (reader.read() as Promise<ReadableStreamReadResult<string>>);
    if (done) break;
    parser.feed(value);
  }
  if (answer) return answer;
  throw new Error("The connection was closed before the reply was complete.");
}
