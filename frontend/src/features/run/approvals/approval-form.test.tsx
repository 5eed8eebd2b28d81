import { waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { getTextDraft } from "../store/text-drafts";
import { sampleApproval } from "../testing/run-fixtures";

import { ApprovalCard } from "./approval-card";

const RESOLVE = "*/api/v1/approvals/:id/resolve";

/** Responds to every answer with `status` and records what was sent. */
function stubResolve(status = 200, problem: object = {}) {
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

/** Each test uses its own id, because drafts are kept by id. */
function renderCard(id: string) {
  return renderWithRouter(<ApprovalCard approval={sampleApproval({ id })} />);
}

describe("ApprovalCard", () => {
  it("says who is asked, and shows the form to those who may answer", async () => {
    const approval = sampleApproval({ assignedRole: "editor", mayAnswer: true });
    const { findByText, getByRole } = renderWithRouter(<ApprovalCard approval={approval} />);

    expect(await findByText("Addressed to editors.")).toBeVisible();
    expect(getByRole("button", { name: "Approve" })).toBeVisible();
  });

  it("shows no form to others", async () => {
    const approval = sampleApproval({
      assignedPersonId: "pers_1",
      assignedPersonName: "Ann",
      isMine: false,
      mayAnswer: false,
    });
    const { findByText, queryByRole } = renderWithRouter(<ApprovalCard approval={approval} />);

    expect(await findByText(/Addressed to Ann\. Only they and the owners/)).toBeVisible();
    expect(queryByRole("button", { name: "Approve" })).toBeNull();
  });
});

describe("ApprovalForm", () => {
  it("sends the feedback with an approval", async () => {
    const sent = stubResolve();
    const { findByRole, getByLabelText, user } = renderCard("appr_a");
    await user.type(await waitFor(() => getByLabelText("Feedback for writer")), "Good. ");
    await user.click(await findByRole("button", { name: "Approve" }));
    await waitFor(() => expect(sent).toEqual([{ action: "approve", feedback: "Good." }]));
  });

  it("requires feedback to send back, and keeps it until the answer is accepted", async () => {
    const sent = stubResolve(500, { title: "Broken", status: 500 });
    const { findByRole, findByText, getByLabelText, user } = renderCard("appr_b");
    const sendBack = await findByRole("button", { name: "Send back" });
    await user.click(sendBack);
    expect(await findByText("Describe what should change.")).toBeVisible();
    expect(getByLabelText("Feedback for writer")).toHaveFocus();
    expect(sent).toEqual([]);

    await user.type(getByLabelText("Feedback for writer"), "Shorter.");
    await user.click(sendBack);
    expect(await findByText("Broken")).toBeVisible();
    expect(getByLabelText("Feedback for writer")).toHaveValue("Shorter.");

    stubResolve();
    await user.click(sendBack);
    await waitFor(() => expect(getTextDraft("approval:appr_b")).toBe(""));
  });

  it("approves an edited output", async () => {
    const sent = stubResolve();
    const { findByRole, findByLabelText, user } = renderCard("appr_c");
    await user.click(await findByRole("button", { name: "Edit and approve…" }));
    const textarea = await findByLabelText("Edited output");
    expect(textarea).toHaveValue("# Bees\n\nBees hum.");
    await user.clear(textarea);
    expect(await findByRole("button", { name: "Approve edited output" })).toBeDisabled();
    await user.type(textarea, "Bees sleep.");
    await user.click(await findByRole("button", { name: "Approve edited output" }));
    await waitFor(() => expect(sent).toEqual([{ action: "approve", edited: "Bees sleep." }]));
  });

  it("asks for confirmation before rejecting", async () => {
    const sent = stubResolve();
    const { findByRole, user } = renderCard("appr_d");
    await user.click(await findByRole("button", { name: "Reject…" }));
    await user.click(await findByRole("button", { name: "Cancel" }));
    expect(sent).toEqual([]);
    await user.click(await findByRole("button", { name: "Reject…" }));
    await user.click(await findByRole("button", { name: "Reject" }));
    await waitFor(() => expect(sent).toEqual([{ action: "reject" }]));
  });

  it.each([
    [409, "Already answered"],
    [410, "Approval request expired"],
    [403, "Permission denied"],
  ])("explains a refusal with status %i: %s", async (status, title) => {
    stubResolve(status, { title: "No", status, detail: "This was approved by ada already." });
    const { findByRole, findByText, user } = renderCard(`appr_${status}`);
    await user.click(await findByRole("button", { name: "Approve" }));
    expect(await findByText(title)).toBeVisible();
  });

  it("shares unsent feedback between two forms for the same approval", async () => {
    const approval = sampleApproval({ id: "appr_twice" });
    const { findAllByLabelText, user } = renderWithRouter(
      <>
        <ApprovalCard approval={approval} />
        <ApprovalCard approval={approval} />
      </>,
    );
    const [first, second] = await findAllByLabelText("Feedback for writer");
    if (first) await user.type(first, "Shorter");
    expect(second).toHaveValue("Shorter");
  });
});

describe("ApprovalCard", () => {
  it("shows the answer once the approval is resolved", async () => {
    const { findAllByText, findByText, queryByRole } = renderWithRouter(
      <ApprovalCard
        approval={sampleApproval({
          status: "revised",
          resolvedBy: "ada",
          resolvedByName: "ada",
          resolvedAt: "2026-11-22T10:01:00Z",
          feedback: "Shorter.",
        })}
      />,
    );
    expect(await findByText("Shorter.")).toBeVisible();
    expect((await findAllByText(/Sent back to writer by ada/)).length).toBeGreaterThan(0);
    expect(queryByRole("button", { name: "Approve" })).toBeNull();
  });
});

const question = (id: string) =>
  sampleApproval({
    id,
    kind: "question",
    taskKey: null,
    agent: null,
    prompt: "Which city?",
    output: "",
  });

describe("QuestionForm", () => {
  it("shows the question and sends the answer", async () => {
    const sent = stubResolve();
    const { findByText, findByRole, findByLabelText, queryByRole, user } = renderWithRouter(
      <ApprovalCard approval={question("appr_q")} />,
    );
    expect(await findByText("Which city?")).toBeVisible();
    expect(queryByRole("button", { name: "Approve" })).toBeNull();
    await user.type(await findByLabelText("Answer"), "Ghent");
    await user.click(await findByRole("button", { name: "Send answer" }));
    await waitFor(() => expect(sent).toEqual([{ action: "answer", answer: "Ghent" }]));
  });

  it("sends an empty answer", async () => {
    const sent = stubResolve();
    const { findByRole, user } = renderWithRouter(<ApprovalCard approval={question("appr_e")} />);
    await user.click(await findByRole("button", { name: "Send answer" }));
    await waitFor(() => expect(sent).toEqual([{ action: "answer", answer: "" }]));
  });

  it("rejects the question after confirmation", async () => {
    const sent = stubResolve();
    const { findByRole, user } = renderWithRouter(<ApprovalCard approval={question("appr_r")} />);
    await user.click(await findByRole("button", { name: "Reject…" }));
    await user.click(await findByRole("button", { name: "Reject" }));
    await waitFor(() => expect(sent).toEqual([{ action: "reject" }]));
  });
});
