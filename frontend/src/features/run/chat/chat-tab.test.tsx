import { waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import type { Message, Run } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { RunStore } from "../store/run-store";
import { sampleMessage, sampleRun } from "../testing/run-fixtures";

import { ChatTab } from "./chat-tab";

const sseEvent = (event: string, content: object) =>
  `event: ${event}\ndata: ${JSON.stringify(content)}\n\n`;

function sseResponse(...events: string[]) {
  return new HttpResponse(events.join(""), { headers: { "Content-Type": "text/event-stream" } });
}

/** A server with these messages that answers chat requests with `respond`. */
function stubChat(messages: Message[], respond: () => Response | Promise<Response>) {
  server.use(
    http.get("*/api/v1/runs/:id/messages", () => HttpResponse.json({ messages })),
    http.post("*/api/v1/chat", respond),
  );
}

function renderChat(id: string, change: Partial<Run> = {}) {
  const run = sampleRun({ id, ...change });
  return renderWithRouter(<ChatTab run={run} store={new RunStore(id, { status: run.status })} />);
}

const ENDED = { status: "completed", finishedAt: "2026-11-22T10:05:00Z" } as const;
const QUESTION = { createdAt: "2026-11-22T10:06:00Z", text: "How many?" };

const answerEvent = (answeredBy: string, response: string) =>
  sseEvent("answer", {
    answeredBy,
    response,
    messageId: "msg_1",
    timestamp: QUESTION.createdAt,
    delivery: { status: answeredBy === "result" ? "answered" : "queued" },
  });

describe("ChatTab", () => {
  it("sends on Enter, but not on Shift+Enter or without text", async () => {
    const messages: Message[] = [];
    let requests = 0;
    stubChat(messages, () => {
      requests += 1;
      const answer = { status: "answered", answer: "Six.", answeredBy: "result" } as const;
      messages.push(sampleMessage({ ...QUESTION, ...answer, text: "How\nmany?" }));
      return sseResponse(sseEvent("chunk", { text: "S" }), answerEvent("result", "Six."));
    });
    const { findByRole, findByText, user } = renderChat("run_enter", ENDED);
    const textbox = await findByRole("textbox", { name: "Message to the run" });
    await user.type(textbox, "  {Enter}");
    expect(requests).toBe(0);
    await user.clear(textbox);
    await user.type(textbox, "How{Shift>}{Enter}{/Shift}many?{Enter}");
    expect(await findByText("Six.")).toBeVisible();
    expect(await findByText("Answered from the result")).toBeVisible();
    expect(textbox).toHaveValue("");
    expect(requests).toBe(1);
  });

  it("labels a reply from the live state and keeps the message queued", async () => {
    const messages: Message[] = [];
    stubChat(messages, () => {
      messages.push(sampleMessage({ text: "Where are you?" }));
      return sseResponse(
        sseEvent("chunk", { text: "In " }),
        answerEvent("live-state", "In research."),
      );
    });
    const { findByRole, findByText, user } = renderChat("run_live");
    await user.type(await findByRole("textbox"), "Where are you?{Enter}");
    expect(await findByText("In research.")).toBeVisible();
    expect(await findByText("Live state")).toBeVisible();
    expect(await findByText("Queued for any agent")).toBeVisible();
  });

  it("keeps an unsent message with its error, to retry or edit it", async () => {
    const messages: Message[] = [];
    stubChat(messages, () =>
      HttpResponse.json(
        { title: "Full", status: 503, detail: "The queue is full." },
        { status: 503 },
      ),
    );
    const { findByRole, findByText, getByRole, queryByText, user } = renderChat("run_full", ENDED);
    await user.type(await findByRole("textbox"), "How many?{Enter}");
    expect(await findByText(/Not sent: The queue is full\./)).toBeVisible();
    expect(await findByText("How many?")).toBeVisible();

    await user.click(getByRole("button", { name: "Edit" }));
    expect(getByRole("textbox")).toHaveValue("How many?");
    expect(queryByText(/Not sent/)).toBeNull();

    await user.type(getByRole("textbox"), "{Enter}");
    const retry = await findByRole("button", { name: "Retry" });
    stubChat(messages, () => {
      messages.push(
        sampleMessage({ ...QUESTION, status: "answered", answer: "Six.", answeredBy: "result" }),
      );
      return sseResponse(answerEvent("result", "Six."));
    });
    await user.click(retry);
    expect(await findByText("Six.")).toBeVisible();
    expect(queryByText(/Not sent/)).toBeNull();
  });

  it.each([
    [
      "a refusal of the model",
      sseEvent("problem", { title: "No", status: 502, detail: "The key is wrong." }),
    ],
    ["an interrupted stream", sseEvent("chunk", { text: "Si" })],
  ])("shows %s at the question, which was stored", async (name, stream) => {
    const messages: Message[] = [];
    stubChat(messages, () => {
      messages.push(sampleMessage(QUESTION));
      return sseResponse(stream);
    });
    const { findByRole, findByText, findAllByText, user } = renderChat(`run_${name.length}`, ENDED);
    await user.type(await findByRole("textbox"), "How many?{Enter}");
    expect(
      await findByText(/No reply: (The key is wrong|The connection was closed)/),
    ).toBeVisible();
    expect(await findAllByText("How many?")).toHaveLength(1);
    expect(await findByRole("button", { name: "Ask again" })).toBeVisible();
  });

  it("queues a further message for the agents while a reply is pending", async () => {
    const queued: unknown[] = [];
    stubChat([], () => new Promise(() => {}));
    server.use(
      http.post("*/api/v1/runs/:id/messages", async ({ request }) => {
        queued.push(await request.json());
        return HttpResponse.json({ message: sampleMessage() }, { status: 202 });
      }),
    );
    const { findByRole, findByLabelText, user } = renderChat("run_two");
    const textbox = await findByRole("textbox");
    await user.type(textbox, "First{Enter}");
    await user.selectOptions(await findByLabelText("To"), "writer");
    await user.type(textbox, "Second{Enter}");
    await waitFor(() => expect(queued).toEqual([{ text: "Second", agent: "writer" }]));
  });

  it("offers to try again when the messages cannot be loaded", async () => {
    server.use(
      http.get("*/api/v1/runs/:id/messages", () =>
        HttpResponse.json({ title: "Broken", status: 500 }, { status: 500 }),
      ),
    );
    const { findByRole, findByText, user } = renderChat("run_broken");
    expect(await findByText("Broken")).toBeVisible();
    stubChat([sampleMessage()], () => sseResponse());
    await user.click(await findByRole("button", { name: "Try again" }));
    expect(await findByText("Mention honey.")).toBeVisible();
  });
});
