import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import type { Approval, Run, RunState } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { RunStore } from "../store/run-store";
import { sampleApproval, sampleRun, USAGE } from "../testing/run-fixtures";

import { AttentionBanner } from "./attention-banner";

function renderBanner(change: Partial<Run>, approvals: Approval[] = []) {
  server.use(
    http.get("*/api/v1/approvals", () => HttpResponse.json({ approvals, nextCursor: null })),
  );
  const run = sampleRun(change);
  return renderWithRouter(
    <AttentionBanner run={run} store={new RunStore(run.id, { status: run.status })} />,
  );
}

function stubBudgetExceeded(budget: object) {
  const data = { limit: "maxLlmCalls", budget, usage: USAGE, seconds: 3 };
  const events = [{ seq: 39, runId: "r", at: "", type: "budget.exceeded", data }];
  server.use(
    http.get("*/api/v1/runs/:id/events", () => HttpResponse.json({ events, lastSeq: 40 })),
  );
}

const FAILURE = {
  code: "provider-auth",
  message: "Acme refused the API key",
  hint: "Check this provider's API key.",
  taskKey: "draft",
  agent: "writer",
  provider: "Acme",
};

describe("AttentionBanner", () => {
  it("shows an open approval collapsed, without taking the focus", async () => {
    const { findByText, findByRole, queryByText, user } = renderBanner(
      { status: "waiting", waitReason: "human-input" },
      [sampleApproval()],
    );
    expect(await findByText("writer requests approval for draft")).toBeVisible();
    expect(document.body).toHaveFocus();
    expect(queryByText("Feedback for writer")).toBeNull();
    await user.click(await findByRole("button", { name: "Review" }));
    expect(await findByText("Feedback for writer")).toBeVisible();
  });

  it("shows the question of a project, whose tasks are not known before", async () => {
    const definition = { ...sampleRun().definition, tasks: [] };
    const question = { kind: "question", taskKey: null, agent: null, output: "" } as const;
    const { findByText, findByRole, user } = renderBanner(
      { status: "waiting", waitReason: "human-input", projectId: "proj_1", definition },
      [sampleApproval({ ...question, prompt: "Which city?" })],
    );
    expect(await findByText("The project asks")).toBeVisible();
    expect(await findByText("Which city?")).toBeVisible();
    await user.click(await findByRole("button", { name: "Answer" }));
    expect(await findByRole("button", { name: "Send answer" })).toBeVisible();
  });

  it("raises an exceeded budget above what was used", async () => {
    const sent: unknown[] = [];
    stubBudgetExceeded({ maxLlmCalls: 2 });
    server.use(
      http.post("*/api/v1/runs/:id/resume", async ({ request }) => {
        sent.push(await request.json());
        return HttpResponse.json({ run: sampleRun() }, { status: 202 });
      }),
    );
    const { findByText, findByLabelText, findByRole, user } = renderBanner({
      status: "waiting",
      waitReason: "budget",
    });
    expect(await findByText("Budget exceeded: 2 of 2")).toBeVisible();
    const input = await findByLabelText("New limit: Model calls");
    expect(input).toHaveValue("4");
    await user.clear(input);
    await user.type(input, "2{Enter}");
    expect(await findByText("Enter a value greater than 2.")).toBeVisible();
    await user.clear(input);
    await user.type(input, "9");
    await user.click(await findByRole("button", { name: "Raise limit and resume" }));
    await expect.poll(() => sent).toEqual([{ budget: { maxLlmCalls: 9 } }]);
  });

  it("does not offer to raise a server-wide limit", async () => {
    stubBudgetExceeded({ maxLlmCalls: 2 });
    const { findByText, queryByText } = renderBanner({
      status: "waiting",
      waitReason: "budget",
      budget: { maxLlmCalls: 50 },
    });
    expect(await findByText(/The server-wide limit for model calls is reached/)).toBeVisible();
    expect(queryByText("Raise limit and resume")).toBeNull();
  });

  it("shows task, cause and hint of a failure, and why resuming was refused", async () => {
    server.use(
      http.post("*/api/v1/runs/:id/resume", () =>
        HttpResponse.json({ title: "Not now", status: 409, detail: "It runs." }, { status: 409 }),
      ),
    );
    const { findByText, findByRole, user } = renderBanner({ status: "failed", error: FAILURE });
    expect(await findByText(/Failed in draft: Acme refused the API key/)).toBeVisible();
    expect(await findByRole("link", { name: "Check Acme" })).toHaveAttribute("href", "/models");
    await user.click(await findByRole("button", { name: "Resume" }));
    expect(await findByText("It runs.")).toBeVisible();
  });

  it("shows a recent answer until it is dismissed", async () => {
    const resolvedAt = new Date().toISOString();
    const revised = sampleApproval({ status: "revised", resolvedAt, feedback: "Shorter." });
    const { findByText, findByRole, queryByText, user } = renderBanner({ status: "running" }, [
      revised,
    ]);
    expect(await findByText("Sent back to writer: draft")).toBeVisible();
    await user.click(await findByRole("button", { name: "Dismiss" }));
    expect(queryByText("Sent back to writer: draft")).toBeNull();
  });

  it.each<RunState>(["queued", "running", "stopping", "completed", "stopped"])(
    "shows nothing for a %s run",
    async (status) => {
      const old = sampleApproval({ status: "approved", resolvedAt: "2026-11-22T10:00:00Z" });
      const { container, queryClient } = renderBanner({ status, error: null }, [old]);
      await expect.poll(() => queryClient.isFetching()).toBe(0);
      expect(container.querySelector("section")).toBeNull();
    },
  );
});
