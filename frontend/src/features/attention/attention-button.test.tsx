import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, it, vi } from "vitest";

import { server } from "@/testing/server";
import { renderWithRouter } from "@/testing/render-with-router";

import { AttentionButton } from "./attention-button";

const run = (id: string, waitReason: string, at: string) => ({
  id,
  workflowName: `Flow of ${id}`,
  status: "waiting",
  waitReason,
  createdAt: at,
  startedAt: at,
});
const approval = (id: string, runId: string, at: string) => ({
  id,
  runId,
  taskKey: "draft",
  createdAt: at,
});

function mockServer(mine: object[], runs: object[], ofOthers: object[] = []): void {
  server.use(
    http.get("*/api/v1/approvals", ({ request }) => {
      const isMine = new URL(request.url).searchParams.get("mine") === "true";
      return HttpResponse.json({ approvals: isMine ? mine : ofOthers });
    }),
    http.get("*/api/v1/runs", () => HttpResponse.json({ runs, nextCursor: null })),
  );
}

it("counts approval requests and exceeded budgets, the longest waiting first, and links to runs", async () => {
  mockServer(
    [approval("ap_1", "run_a", "2026-11-22T10:05:00Z")],
    [
      run("run_a", "human-input", "2026-11-22T10:00:00Z"),
      run("run_b", "budget", "2026-11-22T10:01:00Z"),
    ],
  );
  const { user, router } = renderWithRouter(<AttentionButton />);

  await user.click(await screen.findByRole("button", { name: "Needs attention: 2" }));
  const panel = await screen.findByRole("dialog");
  const links = await within(panel).findAllByRole("link");

  expect(links.map((link) => link.textContent)).toEqual([
    expect.stringContaining("Flow of run_bBudget exceeded"),
    expect.stringContaining("Flow of run_aApproval request from task draft"),
  ]);
  expect(screen.getByRole("status")).toHaveTextContent("2 items need attention");
  await user.click(links[1] as HTMLElement);
  expect(router.state.location.pathname).toBe("/runs/run_a");
  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

it("lists what is addressed to others after the own requests, without counting it", async () => {
  const at = "2026-11-22T10:05:00Z";
  mockServer(
    [approval("ap_1", "run_a", at)],
    [run("run_a", "human-input", at), run("run_b", "human-input", at)],
    [approval("ap_2", "run_b", at)],
  );
  const { user } = renderWithRouter(<AttentionButton />);

  await user.click(await screen.findByRole("button", { name: "Needs attention: 1" }));
  const panel = await screen.findByRole("dialog");
  await within(panel).findByRole("heading", { name: "Addressed to others" });

  const links = within(panel).getAllByRole("link");
  expect(links.map((link) => link.textContent)).toEqual([
    expect.stringContaining("Flow of run_a"),
    expect.stringContaining("Flow of run_b"),
  ]);
});

it("shows an empty list when nothing needs attention", async () => {
  mockServer([], []);
  const { user } = renderWithRouter(<AttentionButton />);

  await user.click(await screen.findByRole("button", { name: "Needs attention: none" }));

  expect(await screen.findByText("Nothing needs attention")).toBeVisible();
  expect(screen.getByRole("status")).toBeEmptyDOMElement();
});

it("shows an error instead of an empty list when the request fails", async () => {
  server.use(
    http.get("*/api/v1/approvals", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
    http.get("*/api/v1/runs", () => HttpResponse.json({ runs: [], nextCursor: null })),
  );
  const { user } = renderWithRouter(<AttentionButton />);

  await user.click(await screen.findByRole("button", { name: /Needs attention/ }));

  expect(await screen.findByText("Broken")).toBeVisible();
  expect(screen.queryByText("Nothing needs attention")).toBeNull();
});
