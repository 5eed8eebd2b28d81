import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, expect, it } from "vitest";

import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { SharedRunPage } from "./shared-run-page";

const RUN = {
  workflowName: "Market research",
  status: "completed",
  createdAt: "2026-11-22T10:00:00Z",
  startedAt: "2026-11-22T10:00:00Z",
  finishedAt: "2026-11-22T10:00:05Z",
  activeSeconds: 5,
  errorCode: null,
  result: { raw: "# The report", jsonOutput: null },
  tasks: [
    {
      key: "draft",
      agent: "writer",
      status: "completed",
      startedAt: null,
      finishedAt: null,
      output: { raw: "A draft.", jsonOutput: null },
      description: null,
      expectedOutput: null,
    },
  ],
  inputs: null,
  expiresAt: "2026-11-29T10:00:00Z",
};

afterEach(() => {
  location.hash = "";
});

it("shows the run of the link without the dashboard", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/api/v1/shared-run", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(RUN);
    }),
  );
  location.hash = "the-token";
  renderWithRouter(<SharedRunPage />);

  expect(await screen.findByRole("heading", { name: "Market research" })).toBeVisible();
  expect(await screen.findByText("The report")).toBeVisible();
  expect(screen.getByText("A draft.")).toBeVisible();
  expect(screen.queryByText("Inputs")).toBeNull();
  expect(screen.queryByRole("navigation")).toBeNull();
  expect(sent).toEqual([{ token: "the-token" }]);
});

it("says that a link is not valid", async () => {
  server.use(
    http.post("*/api/v1/shared-run", () =>
      HttpResponse.json({ title: "The link is not valid" }, { status: 404 }),
    ),
  );
  renderWithRouter(<SharedRunPage />);

  expect(await screen.findByText("The link is not valid")).toBeVisible();
});
