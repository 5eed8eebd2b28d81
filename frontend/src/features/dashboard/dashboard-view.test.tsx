import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { RunSummary } from "@/lib/api/types";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

import { DashboardView } from "./dashboard-view";
import type { Period } from "./insights-query";
import { runSample, insightsSample } from "./samples";

/** Answers as the API would: by the states that are asked for. */
function runsAre(...runs: RunSummary[]) {
  server.use(
    http.get("*/api/v1/runs", ({ request }) => {
      const states = new URL(request.url).searchParams.getAll("status");
      const found = runs.filter((run) => states.length === 0 || states.includes(run.status));
      return HttpResponse.json({ runs: found, nextCursor: null });
    }),
  );
}

function localModelIs(state: string, message = "") {
  server.use(
    http.get("*/api/v1/about", () => HttpResponse.json({ localModel: { state, message } })),
  );
}

beforeEach(() => {
  localModelIs("ready");
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

function dashboard() {
  const onPeriod = vi.fn<(period: Period) => void>();
  return { ...show(<DashboardView period="24h" onPeriod={onPeriod} />), onPeriod };
}

const panel = (name: RegExp) =>
  screen.findByRole("heading", { level: 2, name }).then((heading) => {
    const section = heading.closest("section");
    if (!section) throw new Error("A panel is a section.");
    return section;
  });

describe("with runs", () => {
  it("shows what needs a person and what is at work", async () => {
    runsAre(
      runSample(),
      runSample({ id: "run_b", status: "waiting", waitReason: "budget", workflowName: "Dear one" }),
      runSample({ id: "run_f", status: "failed", error: { code: "x", message: "No key." } }),
    );
    dashboard();

    const attention = await panel(/Needs attention/);
    const failed = await within(attention).findByRole("link", { name: /No key\./ });
    expect(failed).toHaveAttribute("href", "/runs/run_f");
    expect(within(attention).getByRole("link", { name: /Dear one/ })).toHaveTextContent("Budget");
    const live = await panel(/Live now/);
    expect(await within(live).findAllByRole("link")).toHaveLength(2);
    expect(within(live).getByText("Running")).toBeInTheDocument();
  });

  it("says so when nothing needs a person", async () => {
    runsAre(runSample({ status: "completed" }));
    dashboard();

    expect(await screen.findByText(/Nothing needs you/)).toBeInTheDocument();
    expect(await screen.findByText("No run is at work.")).toBeInTheDocument();
  });

  it("shows the period's figures, and switches the period", async () => {
    runsAre(runSample());
    const { user, onPeriod } = dashboard();

    expect(await screen.findByText("75 %")).toBeInTheDocument();
    expect(screen.getByText("95 % took at most 1m 1s")).toBeInTheDocument();
    expect(screen.getAllByText("$0.50")[0]).toBeInTheDocument();
    const slowest = await panel(/Slowest/);
    expect(within(slowest).getByRole("link")).toHaveAttribute(
      "href",
      "/runs?workflow=wf_1&since=24h",
    );
    await user.click(screen.getByRole("radio", { name: "7 days" }));
    expect(onPeriod).toHaveBeenCalledWith("7d");
  });

  it("keeps one panel's error in its panel", async () => {
    runsAre(runSample());
    server.use(
      http.get("*/api/v1/insights", () =>
        HttpResponse.json({ type: "x/internal", title: "No figures" }, { status: 500 }),
      ),
    );
    dashboard();

    expect(await screen.findByRole("alert")).toHaveTextContent("No figures");
    expect(await panel(/Live now/)).toHaveTextContent("Running");
  });

  it("tells a period without runs, and costs that are not known", async () => {
    runsAre(runSample());
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
    dashboard();

    expect(await screen.findByText("No runs in the last 24 hours.")).toBeInTheDocument();
    expect(screen.getByText(/No cost is known in the last 24 hours/)).toBeInTheDocument();
    expect(screen.getByText("No run has completed in this time.")).toBeInTheDocument();
  });
});

describe("before the first run", () => {
  it("shows one card with three steps, and nothing else", async () => {
    runsAre();
    dashboard();

    expect(await screen.findAllByRole("listitem")).toHaveLength(3);
    expect(screen.getAllByRole("heading", { level: 2 })).toHaveLength(1);
    expect(screen.queryByRole("radio")).not.toBeInTheDocument();
    expect(screen.getByText(/expect mistakes/)).toBeInTheDocument();
  });

  it("saves the template, starts it and goes to the run, by one click", async () => {
    runsAre();
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
    const { user, router } = dashboard();

    await user.click(await screen.findByRole("button", { name: "Run the demo" }));

    await waitFor(() => expect(router.state.location.pathname).toBe("/runs/run_demo"));
    expect(sent).toEqual([
      { workflow: { yaml: "name: Daily brief" } },
      { workflowId: "wf_demo", inputs: {} },
    ]);
  });

  it("takes the workflow of an earlier try", async () => {
    runsAre();
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
    const { user } = dashboard();

    await user.click(await screen.findByRole("button", { name: "Run the demo" }));

    await waitFor(() => expect(started).toEqual([{ workflowId: "wf_old", inputs: {} }]));
  });

  it("says why the demo cannot be started", async () => {
    runsAre();
    server.use(
      http.post("*/api/v1/workflows", () =>
        HttpResponse.json({ type: "x/queue-full", title: "Too much to do" }, { status: 503 }),
      ),
    );
    const { user } = dashboard();

    await user.click(await screen.findByRole("button", { name: "Run the demo" }));

    expect(await screen.findByRole("alert")).toHaveTextContent("Too much to do");
    expect(screen.getByRole("button", { name: "Run the demo" })).toBeEnabled();
  });

  it.each([
    ["missing", "The built-in model is not installed."],
    ["off", "Switched off (LOCAL_MODEL=off)."],
    ["failed", "It ended at once."],
  ])("offers a provider instead when the local model is %s", async (state, message) => {
    runsAre();
    localModelIs(state, message);
    dashboard();

    expect(await screen.findByText(new RegExp(message.slice(0, 12)))).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Run the demo" })).not.toBeInTheDocument();
    expect(screen.getByRole("link", { name: "Connect a provider" })).toHaveAttribute(
      "href",
      "/models?provider=new",
    );
  });
});
