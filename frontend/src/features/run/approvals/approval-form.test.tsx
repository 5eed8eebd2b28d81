import { waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import { show } from "@/testing/render";
import { server } from "@/testing/server";

import { ApprovalCard } from "./approval-card";
import { draft } from "../store/text-drafts";
import { sampleApproval } from "../testing/run-fixtures";

const RESOLVE = "*/api/v1/approvals/:id/resolve";

/** Answers each attempt with `status`, and keeps what was sent. */
function answering(status = 200, problem: object = {}) {
  const sent: unknown[] = [];
  server.use(
    http.post(RESOLVE, async ({ request }) => {
      sent.push(await request.json());
      const approval = sampleApproval({ status: "approved" });
      return HttpResponse.json(status === 200 ? { approval } : problem, { status });
    }),
  );
  return sent;
}

/** A question of its own for each test: drafts are kept by its id. */
function question(id: string) {
  return show(<ApprovalCard approval={sampleApproval({ id })} />);
}

test("approving sends the words along, when there are any", async () => {
  const sent = answering();
  const { findByRole, getByLabelText, user } = question("appr_a");
  await user.type(await waitFor(() => getByLabelText("Feedback for writer")), "Good. ");
  await user.click(await findByRole("button", { name: "Approve" }));
  await waitFor(() => expect(sent).toEqual([{ action: "approve", feedback: "Good." }]));
});

test("sending back needs words, and keeps them until they are taken", async () => {
  const sent = answering(500, { title: "Broken", status: 500 });
  const { findByRole, findByText, getByLabelText, user } = question("appr_b");
  const send = await findByRole("button", { name: "Send back" });
  await user.click(send);
  expect(await findByText("Say what should change.")).toBeVisible();
  expect(getByLabelText("Feedback for writer")).toHaveFocus();
  expect(sent).toEqual([]);

  await user.type(getByLabelText("Feedback for writer"), "Shorter.");
  await user.click(send);
  expect(await findByText("Broken")).toBeVisible();
  expect(getByLabelText("Feedback for writer")).toHaveValue("Shorter.");

  answering();
  await user.click(send);
  await waitFor(() => expect(draft("approval:appr_b")).toBe(""));
});

test("an own text is taken instead of the agent's", async () => {
  const sent = answering();
  const { findByRole, findByLabelText, user } = question("appr_c");
  await user.click(await findByRole("button", { name: "Edit and approve…" }));
  const box = await findByLabelText("The output to take instead");
  expect(box).toHaveValue("# Bees\n\nBees hum.");
  await user.clear(box);
  expect(await findByRole("button", { name: "Approve this text" })).toBeDisabled();
  await user.type(box, "Bees sleep.");
  await user.click(await findByRole("button", { name: "Approve this text" }));
  await waitFor(() => expect(sent).toEqual([{ action: "approve", edited: "Bees sleep." }]));
});

test("rejecting asks first", async () => {
  const sent = answering();
  const { findByRole, user } = question("appr_d");
  await user.click(await findByRole("button", { name: "Reject…" }));
  await user.click(await findByRole("button", { name: "Cancel" }));
  expect(sent).toEqual([]);
  await user.click(await findByRole("button", { name: "Reject…" }));
  await user.click(await findByRole("button", { name: "Reject" }));
  await waitFor(() => expect(sent).toEqual([{ action: "reject" }]));
});

test.each([
  [409, "Somebody has answered already"],
  [410, "The question has expired"],
  [403, "This key may not answer"],
])("a refusal with %i says: %s", async (status, words) => {
  answering(status, { title: "No", status, detail: "This was approved by ada already." });
  const { findByRole, findByText, user } = question(`appr_${status}`);
  await user.click(await findByRole("button", { name: "Approve" }));
  expect(await findByText(words)).toBeVisible();
});

test("the same question in two places shares its words", async () => {
  const approval = sampleApproval({ id: "appr_twice" });
  const { findAllByLabelText, user } = show(
    <>
      <ApprovalCard approval={approval} />
      <ApprovalCard approval={approval} />
    </>,
  );
  const [first, second] = await findAllByLabelText("Feedback for writer");
  if (first) await user.type(first, "Shorter");
  expect(second).toHaveValue("Shorter");
});

test("an answered question shows what was answered", async () => {
  const { findAllByText, findByText, queryByRole } = show(
    <ApprovalCard
      approval={sampleApproval({
        status: "revised",
        resolvedBy: "ada",
        resolvedAt: "2026-11-22T10:01:00Z",
        feedback: "Shorter.",
      })}
    />,
  );
  expect(await findByText("Shorter.")).toBeVisible();
  expect((await findAllByText(/Sent back to writer by ada/)).length).toBeGreaterThan(0);
  expect(queryByRole("button", { name: "Approve" })).toBeNull();
});
