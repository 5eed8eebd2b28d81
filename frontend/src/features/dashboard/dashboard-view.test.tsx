import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { RunSummary } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { DashboardView } from "./dashboard-view";
import type { Period } from "./insights-query";
import { runSample, insightsSample } from "./samples";

/** Mocks the list of runs with its filter by state. */
function mockRuns(...runs: RunSummary[]) {
  server.use(
    http.get("*/api/v1/runs", ({ request }) => {
      const states = new URL(request.url).searchParams.getAll("status");
      const found = runs.filter((run) => states.length === 0 || states.includes(run.status));
      return HttpResponse.json({ runs: found, nextCursor: null });
    }),
  );
}

function mockLocalModel(state: string, message = "") {
  server.use(
    http.get("*/api/v1/about", () => HttpResponse.json({ localModel: { state, message } })),
  );
}

beforeEach(() => {
  mockLocalModel("ready");
  server.use(
    http.get("*/api/v1/approvals", () => HttpResponse.json({ approvals: [], nextCursor: null })),
    http.get("*/api/v1/insights", () => HttpResponse.json(insightsSample())),
    http.get("*/api/v1/models", () => HttpResponse.json({ models: [], nextCursor: null })),
    http.get("*/api/v1/templates", () =>
      HttpResponse.json({
        templates: [
          { name: "big", title: "Big", runsOnLocalModel: false, yaml: "name: Big" },
          {
            name: "daily",
            title: "Daily brief",
            runsOnLocalModel: true,
            yaml: "name: Daily brief",
          },
        ],
      }),
    ),
    http.get("*/api/v1/workflows", () => HttpResponse.json({ workflows: [], nextCursor: null })),
  );
});

function showDashboard() {
  const onPeriod = vi.fn<(period: Period) => void>();
  return { ...renderWithRouter(<DashboardView period="24h" onPeriod={onPeriod} />), onPeriod };
}

const panel = (name: RegExp) =>
  screen.findByRole("heading", { level: 2, name }).then((heading) => {
    const section = heading.closest("section");
    if (!section) throw new Error("A panel is a section.");
    return section;
  });

describe("with runs", () => {
  it("shows the attention list and the active runs", async () => {
    mockRuns(
      runSample(),
      runSample({
        id: "run_b",
        status: "waiting",
        waitReason: "budget",
        workflowName: "Over budget",
      }),
      runSample({ id: "run_f", status: "failed", error: { code: "x", message: "No key." } }),
      runSample({ id: "run_e", external: true }),
    );
    showDashboard();

    const attention = await panel(/Needs attention/);
    const failed = await within(attention).findByRole("link", { name: /No key\./ });
    expect(failed).toHaveAttribute("href", "/runs/run_f");
    expect(within(attention).getByRole("link", { name: /Over budget/ })).toHaveTextContent(
      "Budget",
    );
    const live = await panel(/Active runs/);
    expect(await within(live).findAllByRole("link")).toHaveLength(3);
    expect(within(live).getByRole("heading")).toHaveTextContent("Active runs 2");
    expect(within(live).getByRole("link", { name: /Runs elsewhere/ })).toHaveAttribute(
      "href",
      "/runs/run_e",
    );
  });

  it("shows empty states", async () => {
    mockRuns(runSample({ status: "completed" }));
    showDashboard();

    expect(await screen.findByText(/Nothing needs attention/)).toBeInTheDocument();
    expect(await screen.findByText("No active runs.")).toBeInTheDocument();
  });

  it("shows the insights of a period and switches the period", async () => {
    mockRuns(runSample());
    const { user, onPeriod } = showDashboard();

    expect(await screen.findByText("75%")).toBeInTheDocument();
    expect(screen.getByText("p95 1m 1s")).toBeInTheDocument();
    expect(screen.getAllByText("$0.50")[0]).toBeInTheDocument();
    const slowest = await panel(/Slowest/);
    expect(within(slowest).getByRole("link")).toHaveAttribute(
      "href",
      "/runs?workflow=wf_1&since=24h",
    );
    await user.click(screen.getByRole("radio", { name: "7 days" }));
    expect(onPeriod).toHaveBeenCalledWith("7d");
  });

  it("keeps the error of one panel in that panel", async () => {
    mockRuns(runSample());
    server.use(
      http.get("*/api/v1/insights", () =>
        HttpResponse.json({ type: "x/internal", title: "No figures" }, { status: 500 }),
      ),
    );
    showDashboard();

    expect(await screen.findByRole("alert")).toHaveTextContent("No figures");
    expect(await panel(/Active runs/)).toHaveTextContent("Running");
  });

  it("shows a period without runs and without known costs", async () => {
    mockRuns(runSample());
    const { totals } = insightsSample();
    server.use(
      http.get("*/api/v1/insights", () =>
        HttpResponse.json(
          insightsSample({
            totals: { ...totals, runs: 0, cost: null, knownCost: null },
            workflows: [],
          }),
        ),
      ),
    );
    showDashboard();

    expect(await screen.findByText("No runs in the last 24 hours.")).toBeInTheDocument();
    expect(screen.getByText(/No known costs in the last 24 hours/)).toBeInTheDocument();
    expect(screen.getByText("No completed runs in this period.")).toBeInTheDocument();
  });
});

describe("before the first run", () => {
  it("shows the three steps of getting started, and where to bring a project", async () => {
    mockRuns();
    showDashboard();

    expect(await screen.findAllByRole("listitem")).toHaveLength(3);
    expect(screen.getAllByRole("heading", { level: 2 })).toHaveLength(2);
    expect(screen.queryByRole("radio")).not.toBeInTheDocument();
    expect(screen.getByText(/expect mistakes/)).toBeInTheDocument();
  });

  it("saves the template, starts it and opens the run with one click", async () => {
    mockRuns();
    const sent: unknown[] = [];
    server.use(
      http.post("*/api/v1/workflows", async ({ request }) => {
        sent.push(await request.json());
        return HttpResponse.json({ workflow: { id: "wf_demo" } }, { status: 201 });
      }),
      http.post("*/api/v1/runs", async ({ request }) => {
        sent.push(await request.json());
        return HttpResponse.json({ runId: "run_demo", workflowId: "wf_demo" }, { status: 202 });
      }),
    );
    const { user, router } = showDashboard();

    await user.click(await screen.findByRole("button", { name: "Run the demo" }));

    await waitFor(() => expect(router.state.location.pathname).toBe("/runs/run_demo"));
    expect(sent).toEqual([
      { workflow: { yaml: "name: Daily brief" } },
      { workflowId: "wf_demo", inputs: {} },
    ]);
  });

  it("reuses the workflow of an earlier demo", async () => {
    mockRuns();
    const started: unknown[] = [];
    server.use(
      http.get("*/api/v1/workflows", () =>
        HttpResponse.json({ workflows: [{ id: "wf_old", name: "Daily brief" }], nextCursor: null }),
      ),
      http.post("*/api/v1/runs", async ({ request }) => {
        started.push(await request.json());
        return HttpResponse.json({ runId: "run_demo", workflowId: "wf_old" }, { status: 202 });
      }),
    );
    const { user } = showDashboard();

    await user.click(await screen.findByRole("button", { name: "Run the demo" }));

    await waitFor(() => expect(started).toEqual([{ workflowId: "wf_old", inputs: {} }]));
  });

  it("shows why the demo cannot be started", async () => {
    mockRuns();
    server.use(
      http.post("*/api/v1/workflows", () =>
        HttpResponse.json({ type: "x/queue-full", title: "Queue full" }, { status: 503 }),
      ),
    );
    const { user } = showDashboard();

    await user.click(await screen.findByRole("button", { name: "Run the demo" }));

    expect(await screen.findByRole("alert")).toHaveTextContent("Queue full");
    expect(screen.getByRole("button", { name: "Run the demo" })).toBeEnabled();
  });

  it.each([
    ["missing", "The built-in model is not installed."],
    ["off", "Switched off (LOCAL_MODEL=off)."],
    ["failed", "It ended at once."],
  ])("offers a provider instead when the local model is %s", async (state, message) => {
    mockRuns();
    mockLocalModel(state, message);
    showDashboard();

    expect(await screen.findByText(new RegExp(message.slice(0, 12)))).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Run the demo" })).not.toBeInTheDocument();
    expect(screen.getByRole("link", { name: "Connect a provider" })).toHaveAttribute(
      "href",
      "/models?provider=new",
    );
  });
});
