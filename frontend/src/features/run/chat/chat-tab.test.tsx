import { waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import type { Message, Run } from "@/lib/api/types";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

import { RunStore } from "../store/run-store";

import { ChatTab } from "./chat-tab";
import { sampleMessage, sampleRun } from "../testing/run-fixtures";

const frame = (event: string, content: object) =>
  `event: ${event}\ndata: ${JSON.stringify(content)}\n\n`;

function sse(...frames: string[]) {
  return new HttpResponse(frames.join(""), { headers: { "Content-Type": "text/event-stream" } });
}

/** A server that has these messages; `say` is what it answers to a chat. */
function talking(messages: Message[], say: () => Response | Promise<Response>) {
  server.use(
    http.get("*/api/v1/runs/:id/messages", () => HttpResponse.json({ messages })),
    http.post("*/api/v1/chat", say),
  );
}

function chat(id: string, change: Partial<Run> = {}) {
  const run = sampleRun({ id, ...change });
  return show(<ChatTab run={run} store={new RunStore(id, { status: run.status })} />);
}

const OVER = { status: "completed", finishedAt: "2026-11-22T10:05:00Z" } as const;
const LATER = { createdAt: "2026-11-22T10:06:00Z", text: "How many?" };

const answerOf = (answeredBy: string, response: string) =>
  frame("answer", { answeredBy, response, messageId: "msg_1", timestamp: LATER.createdAt });

test("Enter sends, Shift+Enter does not, nothing is sent of nothing", async () => {
  const messages: Message[] = [];
  let asked = 0;
  talking(messages, () => {
    asked += 1;
    const done = { ...LATER, status: "answered", answer: "Six.", answeredBy: "result" } as const;
    messages.push(sampleMessage({ ...done, text: "How\nmany?" }));
    return sse(frame("chunk", { text: "S" }), answerOf("result", "Six."));
  });
  const { findByRole, findByText, user } = chat("run_enter", OVER);
  const box = await findByRole("textbox", { name: "Message to the run" });
  await user.type(box, "  {Enter}");
  expect(asked).toBe(0);
  await user.clear(box);
  await user.type(box, "How{Shift>}{Enter}{/Shift}many?{Enter}");
  expect(await findByText("Six.")).toBeVisible();
  expect(await findByText("Answered from the result")).toBeVisible();
  expect(box).toHaveValue("");
  expect(asked).toBe(1);
});

test("a reply by the live state is shown as such, and the message stays queued", async () => {
  const messages: Message[] = [];
  talking(messages, () => {
    messages.push(sampleMessage({ text: "Where are you?" }));
    return sse(frame("chunk", { text: "In " }), answerOf("live-state", "In research."));
  });
  const { findByRole, findByText, user } = chat("run_live");
  await user.type(await findByRole("textbox"), "Where are you?{Enter}");
  expect(await findByText("In research.")).toBeVisible();
  expect(await findByText("Live state")).toBeVisible();
  expect(await findByText("Queued for whoever is at work")).toBeVisible();
});

test("what was not sent is kept, says why, and can be sent again or edited", async () => {
  const messages: Message[] = [];
  talking(messages, () =>
    HttpResponse.json(
      { title: "Full", status: 503, detail: "The queue is full." },
      { status: 503 },
    ),
  );
  const { findByRole, findByText, getByRole, queryByText, user } = chat("run_full", OVER);
  await user.type(await findByRole("textbox"), "How many?{Enter}");
  expect(await findByText(/Not sent: The queue is full\./)).toBeVisible();
  expect(await findByText("How many?")).toBeVisible();

  await user.click(getByRole("button", { name: "Edit" }));
  expect(getByRole("textbox")).toHaveValue("How many?");
  expect(queryByText(/Not sent/)).toBeNull();

  await user.type(getByRole("textbox"), "{Enter}");
  const again = await findByRole("button", { name: "Send again" });
  talking(messages, () => {
    messages.push(
      sampleMessage({ ...LATER, status: "answered", answer: "Six.", answeredBy: "result" }),
    );
    return sse(answerOf("result", "Six."));
  });
  await user.click(again);
  expect(await findByText("Six.")).toBeVisible();
  expect(queryByText(/Not sent/)).toBeNull();
});

test.each([
  [
    "a model's refusal",
    frame("problem", { title: "No", status: 502, detail: "The key is wrong." }),
  ],
  ["a stream that breaks off", frame("chunk", { text: "Si" })],
])("%s is told at the question, which the server has", async (what, stream) => {
  const messages: Message[] = [];
  talking(messages, () => {
    messages.push(sampleMessage(LATER));
    return sse(stream);
  });
  const { findByRole, findByText, findAllByText, user } = chat(`run_${what.length}`, OVER);
  await user.type(await findByRole("textbox"), "How many?{Enter}");
  expect(await findByText(/No answer came: (The key is wrong|The connection ended)/)).toBeVisible();
  expect(await findAllByText("How many?")).toHaveLength(1);
  expect(await findByRole("button", { name: "Ask again" })).toBeVisible();
});

test("while one reply is awaited, a further message is left for the agents", async () => {
  const left: unknown[] = [];
  talking([], () => new Promise(() => {}));
  server.use(
    http.post("*/api/v1/runs/:id/messages", async ({ request }) => {
      left.push(await request.json());
      return HttpResponse.json({ message: sampleMessage() }, { status: 202 });
    }),
  );
  const { findByRole, findByLabelText, user } = chat("run_two");
  const box = await findByRole("textbox");
  await user.type(box, "First{Enter}");
  await user.selectOptions(await findByLabelText("To"), "writer");
  await user.type(box, "Second{Enter}");
  await waitFor(() => expect(left).toEqual([{ text: "Second", agent: "writer" }]));
});

test("messages that cannot be read say so, and can be asked for again", async () => {
  server.use(
    http.get("*/api/v1/runs/:id/messages", () =>
      HttpResponse.json({ title: "Broken", status: 500 }, { status: 500 }),
    ),
  );
  const { findByRole, findByText, user } = chat("run_broken");
  expect(await findByText("Broken")).toBeVisible();
  talking([sampleMessage()], () => sse());
  await user.click(await findByRole("button", { name: "Try again" }));
  expect(await findByText("Mention honey.")).toBeVisible();
});
