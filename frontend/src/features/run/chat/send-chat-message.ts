import { createParser } from "eventsource-parser";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { ChatAnswer } from "@/lib/api/types";

export interface Question {
  runId: string;
  text: string;
  agent: string | null;
}

interface Ear {
  /** The server has the message. */
  onSent: () => void;
  /** More of the reply. */
  onWords: (words: string) => void;
}

/** Sends a message and waits for the reply, telling its words as they come. */
export async function ask(
  { runId, text, agent }: Question,
  { onSent, onWords }: Ear,
): Promise<ChatAnswer> {
  const answer = await api.POST("/api/v1/chat", {
    body: { workflowId: runId, message: text, agent },
    headers: { Accept: "text/event-stream" },
    parseAs: "stream",
  });
  onSent();
  return read(body(answer) as unknown as ReadableStream<Uint8Array>, onWords);
}

/** Leaves a message for the agents of a run at work, without waiting for a reply. */
export async function leave({ runId, text, agent }: Question): Promise<void> {
  await api.POST("/api/v1/runs/{run_id}/messages", {
    params: { path: { run_id: runId } },
    body: { text, agent },
  });
}

async function read(
  stream: ReadableStream<Uint8Array>,
  onWords: (words: string) => void,
): Promise<ChatAnswer> {
  let answer: ChatAnswer | undefined;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      const said = JSON.parse(data) as Record<string, unknown>;
      if (event === "chunk") onWords(String(said.text));
      if (event === "answer") answer = said as ChatAnswer;
      if (event === "problem") throw new ApiProblem(Number(said.status), said);
    },
  });
  const reader = stream.pipeThrough(new TextDecoderStream() as never).getReader();
  for (;;) {
    const { done, value } = await (reader.read() as Promise<ReadableStreamReadResult<string>>);
    if (done) break;
    parser.feed(value);
  }
  if (answer) return answer;
  throw new Error("The connection ended before the answer was whole.");
}
