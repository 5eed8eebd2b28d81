import { fireEvent, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { sampleApproval } from "../testing/run-fixtures";

import { ApprovalCard } from "./approval-card";

function renderCall(id: string) {
  const sent: unknown[] = [];
  const approval = sampleApproval({
    id,
    kind: "tool_call",
    output: "",
    tool: "send_email",
    arguments: { to: "ann@example.com" },
  });
  server.use(
    http.post("*/api/v1/approvals/:id/resolve", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ approval: { ...approval, status: "approved" } });
    }),
  );
  return { sent, ...renderWithRouter(<ApprovalCard approval={approval} />) };
}

describe("ToolCallForm", () => {
  it("allows the call as it is", async () => {
    const { sent, user, findByRole, getByText } = renderCall("appr_call_a");
    await user.click(await findByRole("button", { name: "Allow" }));
    expect(getByText("writer wants to call send_email")).toBeVisible();
    await waitFor(() => expect(sent).toEqual([{ action: "approve", forRun: false }]));
  });

  it("shows what was changed, and sends it", async () => {
    const { sent, user, findByLabelText, getByRole, getByLabelText } = renderCall("appr_call_b");
    const editor = await findByLabelText("Arguments");
    fireEvent.change(editor, { target: { value: '{"to": "bob@example.com"}' } });
    expect(getByLabelText("Changed arguments")).toHaveTextContent(
      'to"ann@example.com""bob@example.com"',
    );
    await user.click(getByLabelText("Allow every call of send_email in this run"));
    await user.click(getByRole("button", { name: "Allow with changes" }));
    const answer = { action: "approve", forRun: true, arguments: { to: "bob@example.com" } };
    await waitFor(() => expect(sent).toEqual([answer]));
  });

  it("says what is wrong with the arguments, and sends nothing", async () => {
    const { findByLabelText, getByRole, getByText } = renderCall("appr_call_c");
    fireEvent.change(await findByLabelText("Arguments"), { target: { value: "{" } });
    expect(getByText(/This is not JSON/)).toBeVisible();
    expect(getByRole("button", { name: "Allow" })).toBeDisabled();
  });

  it("refuses with a reason", async () => {
    const { sent, user, findByRole, findByLabelText } = renderCall("appr_call_d");
    await user.type(await findByLabelText("Reason, if you refuse"), "Not here.");
    await user.click(await findByRole("button", { name: "Refuse" }));
    await waitFor(() => expect(sent).toEqual([{ action: "reject", feedback: "Not here." }]));
  });
});
