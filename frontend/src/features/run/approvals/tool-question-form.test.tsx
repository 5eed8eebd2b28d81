import { waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { sampleApproval } from "../testing/run-fixtures";

import { ApprovalCard } from "./approval-card";

const FORM = {
  type: "object",
  properties: {
    size: { type: "integer", title: "Size", description: "In pages", default: 2 },
    colour: { type: "string", title: "Colour", enum: ["r", "g"], enumNames: ["Red", "Green"] },
    sure: { type: "boolean", title: "Sure" },
    days: { type: "array", title: "Days", items: { type: "string", enum: ["Mon", "Tue"] } },
    note: { type: "string" },
  },
  required: ["size"],
};

function renderQuestion() {
  const sent: unknown[] = [];
  const approval = sampleApproval({
    id: "appr_question",
    kind: "tool_question",
    output: "",
    prompt: "Which size?",
    tool: "mcp:shop/order",
    arguments: {},
    parameters: FORM,
  });
  server.use(
    http.post("*/api/v1/approvals/:id/resolve", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ approval: { ...approval, status: "approved" } });
    }),
  );
  return { sent, ...renderWithRouter(<ApprovalCard approval={approval} />) };
}

describe("ToolQuestionForm", () => {
  it("sends the fields with their types, without the empty ones", async () => {
    const { sent, user, findByLabelText, getByLabelText, getByRole, getByText } = renderQuestion();
    const size = await findByLabelText(/^Size/);
    expect(getByText("mcp:shop/order asks a question")).toBeVisible();
    expect(getByText("Which size?")).toBeVisible();
    await user.clear(size);
    await user.type(size, "12");
    await user.selectOptions(getByLabelText("Colour"), "Green");
    await user.click(getByLabelText("Sure"));
    await user.click(getByLabelText("Tue"));
    await user.click(getByRole("button", { name: "Send answer" }));
    const answer = { size: 12, colour: "g", sure: true, days: ["Tue"] };
    await waitFor(() => expect(sent).toEqual([{ action: "approve", arguments: answer }]));
  });

  it("declines", async () => {
    const { sent, user, findByRole } = renderQuestion();
    await user.click(await findByRole("button", { name: "Decline" }));
    await waitFor(() => expect(sent).toEqual([{ action: "reject" }]));
  });
});
