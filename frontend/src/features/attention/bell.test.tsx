import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, it, vi } from "vitest";

import { server } from "@/testing/server";
import { show } from "@/testing/render";

import { Bell } from "./bell";

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

function serverWith(approvals: object[], runs: object[]): void {
  server.use(
    http.get("*/api/v1/approvals", () => HttpResponse.json({ approvals })),
    http.get("*/api/v1/runs", () => HttpResponse.json({ runs, nextCursor: null })),
  );
}

it("counts questions and spent budgets, the longest wait first, and leads to the run", async () => {
  serverWith(
    [approval("ap_1", "run_a", "2026-11-22T10:05:00Z")],
    [
      run("run_a", "human-input", "2026-11-22T10:00:00Z"),
      run("run_b", "budget", "2026-11-22T10:01:00Z"),
    ],
  );
  const { user, router } = show(<Bell />);

  await user.click(await screen.findByRole("button", { name: "Needs you: 2" }));
  const panel = await screen.findByRole("dialog");
  const links = await within(panel).findAllByRole("link");

  expect(links.map((link) => link.textContent)).toEqual([
    expect.stringContaining("Flow of run_bThe budget is spent"),
    expect.stringContaining("Flow of run_aTask draft asks for your answer"),
  ]);
  expect(screen.getByRole("status")).toHaveTextContent("2 things need you");
  await user.click(links[1] as HTMLElement);
  expect(router.state.location.pathname).toBe("/runs/run_a");
  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

it("says so when nothing waits", async () => {
  serverWith([], []);
  const { user } = show(<Bell />);

  await user.click(await screen.findByRole("button", { name: "Needs you: nothing" }));

  expect(await screen.findByText("Nothing waits for you")).toBeVisible();
  expect(screen.getByRole("status")).toBeEmptyDOMElement();
});

it("tells when it could not look, rather than that nothing waits", async () => {
  server.use(
    http.get("*/api/v1/approvals", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
    http.get("*/api/v1/runs", () => HttpResponse.json({ runs: [], nextCursor: null })),
  );
  const { user } = show(<Bell />);

  await user.click(await screen.findByRole("button", { name: /Needs you/ }));

  expect(await screen.findByText("Broken")).toBeVisible();
  expect(screen.queryByText("Nothing waits for you")).toBeNull();
});
