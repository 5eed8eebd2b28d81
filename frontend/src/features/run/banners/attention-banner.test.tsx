import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import type { Approval, Run, RunState } from "@/lib/api/types";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

import { RunStore } from "../store/run-store";

import { AttentionBanner } from "./attention-banner";
import { sampleApproval, sampleRun, USAGE } from "../testing/run-fixtures";

function banner(change: Partial<Run>, approvals: Approval[] = []) {
  server.use(
    http.get("*/api/v1/approvals", () => HttpResponse.json({ approvals, nextCursor: null })),
  );
  const run = sampleRun(change);
  return show(<AttentionBanner run={run} store={new RunStore(run.id, { status: run.status })} />);
}

function budgetStop(budget: object) {
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

test("a question comes first, folded, and takes no focus", async () => {
  const { findByText, findByRole, queryByText, user } = banner(
    { status: "waiting", waitReason: "human-input" },
    [sampleApproval()],
  );
  expect(await findByText("writer asks you to check draft")).toBeVisible();
  expect(document.body).toHaveFocus();
  expect(queryByText("Feedback for writer")).toBeNull();
  await user.click(await findByRole("button", { name: "Answer" }));
  expect(await findByText("Feedback for writer")).toBeVisible();
});

test("a used-up budget can be raised by more than was used", async () => {
  const sent: unknown[] = [];
  budgetStop({ maxLlmCalls: 2 });
  server.use(
    http.post("*/api/v1/runs/:id/resume", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ run: sampleRun() }, { status: 202 });
    }),
  );
  const { findByText, findByLabelText, findByRole, user } = banner({
    status: "waiting",
    waitReason: "budget",
  });
  expect(await findByText("Budget reached: 2 of 2")).toBeVisible();
  const box = await findByLabelText("New limit: Model calls");
  expect(box).toHaveValue("4");
  await user.clear(box);
  await user.type(box, "2{Enter}");
  expect(await findByText("Enter more than 2, which is used up.")).toBeVisible();
  await user.clear(box);
  await user.type(box, "9");
  await user.click(await findByRole("button", { name: "Raise and go on" }));
  await expect.poll(() => sent).toEqual([{ budget: { maxLlmCalls: 9 } }]);
});

test("a limit of the server's own is named, not offered for raising", async () => {
  budgetStop({ maxLlmCalls: 2 });
  const { findByText, queryByText } = banner({
    status: "waiting",
    waitReason: "budget",
    budget: { maxLlmCalls: 50 },
  });
  expect(await findByText(/The server's own limit for model calls holds/)).toBeVisible();
  expect(queryByText("Raise and go on")).toBeNull();
});

test("a failure names its task, its cause and its cure; a refused retry says why", async () => {
  server.use(
    http.post("*/api/v1/runs/:id/resume", () =>
      HttpResponse.json({ title: "Not now", status: 409, detail: "It runs." }, { status: 409 }),
    ),
  );
  const { findByText, findByRole, user } = banner({ status: "failed", error: FAILURE });
  expect(await findByText(/Failed in draft: Acme refused the API key/)).toBeVisible();
  expect(await findByRole("link", { name: "Look at Acme" })).toHaveAttribute("href", "/models");
  await user.click(await findByRole("button", { name: "Resume" }));
  expect(await findByText("It runs.")).toBeVisible();
});

test("an answer of a moment ago is shown until it is closed", async () => {
  const resolvedAt = new Date().toISOString();
  const revised = sampleApproval({ status: "revised", resolvedAt, feedback: "Shorter." });
  const { findByText, findByRole, queryByText, user } = banner({ status: "running" }, [revised]);
  expect(await findByText("Sent back to writer: draft")).toBeVisible();
  await user.click(await findByRole("button", { name: "Close" }));
  expect(queryByText("Sent back to writer: draft")).toBeNull();
});

test.each<RunState>(["queued", "running", "stopping", "completed", "stopped"])(
  "a %s run needs nobody",
  async (status) => {
    const old = sampleApproval({ status: "approved", resolvedAt: "2026-11-22T10:00:00Z" });
    const { container, queryClient } = banner({ status, error: null }, [old]);
    await expect.poll(() => queryClient.isFetching()).toBe(0);
    expect(container.querySelector("section")).toBeNull();
  },
);
