import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it, vi } from "vitest";

import type { RunSummary } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import type { RunsSearch } from "./run-filters";
import { RunsView } from "./runs-view";
import { runSample } from "./run-sample";

beforeEach(() => {
  server.use(
    http.get("*/api/v1/workflows", () => HttpResponse.json({ workflows: [], nextCursor: null })),
    http.get("*/api/v1/workflows/wf_1", () =>
      HttpResponse.json({ id: "wf_1", name: "Market research" }),
    ),
    http.get("*/api/v1/about", () =>
      HttpResponse.json({ localModel: { state: "ready", message: "Ready." } }),
    ),
    http.get("*/api/v1/models", () => HttpResponse.json({ models: [], nextCursor: null })),
  );
});

/** Mocks the pages of the list; returns the requested URLs. */
function mockRuns(...pages: RunSummary[][]) {
  const requests: URL[] = [];
  server.use(
    http.get("*/api/v1/runs", ({ request }) => {
      const url = new URL(request.url);
      requests.push(url);
      const page = Number(url.searchParams.get("cursor") ?? 0);
      const nextCursor = page + 1 < pages.length ? String(page + 1) : null;
      return HttpResponse.json({ runs: pages[page], nextCursor });
    }),
  );
  return requests;
}

function showList(search: RunsSearch = {}) {
  const onChange = vi.fn<(change: Partial<RunsSearch>) => void>();
  const onClear = vi.fn<() => void>();
  const shown = renderWithRouter(
    <RunsView search={search} onChange={onChange} onClear={onClear} />,
  );
  return { ...shown, onChange, onClear };
}

it("shows each run in a row that links to it", async () => {
  mockRuns([
    runSample(),
    runSample({
      id: "run_2",
      status: "failed",
      error: { code: "provider-auth", message: "The key is wrong." },
    }),
  ]);
  showList();

  const row = await screen.findByRole("row", { name: /Completed/ });
  expect(within(row).getByRole("link")).toHaveAttribute("href", "/runs/run_1");
  for (const text of ["Market research", "v7", "12.0 s", "1.4K", "$0.031", "ada"]) {
    expect(row).toHaveTextContent(text);
  }
  expect(screen.getByRole("row", { name: /Failed/ })).toHaveTextContent("The key is wrong.");
  expect(screen.getByText("2 runs")).toBeInTheDocument();
});

it("sends the filters to the API", async () => {
  const requests = mockRuns([runSample()]);
  showList({ status: ["failed", "crashed"], workflow: "wf_1", q: "brief" });

  await screen.findByRole("row", { name: /Market/ });
  expect(requests[0]?.searchParams.getAll("status")).toEqual(["failed", "crashed"]);
  expect(requests[0]?.searchParams.get("workflowId")).toBe("wf_1");
  expect(requests[0]?.searchParams.get("q")).toBe("brief");
});

it("toggles a state on click, and sends the text after a pause in typing", async () => {
  mockRuns([runSample()]);
  const { user, onChange } = showList({ status: ["failed"] });

  await user.click(await screen.findByRole("button", { name: "Queued" }));
  expect(onChange).toHaveBeenLastCalledWith({ status: ["queued", "failed"] });
  await user.click(screen.getByRole("button", { name: "Failed" }));
  expect(onChange).toHaveBeenLastCalledWith({ status: undefined });
  await user.type(screen.getByRole("searchbox"), "bri");
  await waitFor(() => expect(onChange).toHaveBeenLastCalledWith({ q: "bri" }));
  expect(onChange).toHaveBeenCalledTimes(3);
});

it("loads more pages and shows no run twice", async () => {
  const requests = mockRuns(
    [runSample()],
    [runSample(), runSample({ id: "run_2", workflowName: "Second" })],
  );
  const { user } = showList();

  await user.click(await screen.findByRole("button", { name: "Load more" }));

  await screen.findByRole("row", { name: /Second/ });
  expect(screen.getAllByRole("row", { name: /Market/ })).toHaveLength(1);
  expect(requests.at(-1)?.searchParams.get("cursor")).toBe("1");
  expect(screen.queryByRole("button", { name: "Load more" })).not.toBeInTheDocument();
});

it("offers the demo before the first run", async () => {
  mockRuns([]);
  showList();

  expect(await screen.findByText("No runs yet")).toBeInTheDocument();
  expect(await screen.findByRole("button", { name: "Run the demo" })).toBeInTheDocument();
  expect(screen.queryByText(/Clear filters/)).not.toBeInTheDocument();
});

it("offers to clear the filters when no runs match", async () => {
  mockRuns([]);
  const { user, onClear } = showList({ status: ["failed"], since: "7d" });

  expect(await screen.findByText("No failed runs in the last 7 days")).toBeInTheDocument();
  expect(screen.queryByText("No runs yet")).not.toBeInTheDocument();
  await user.click(screen.getAllByRole("button", { name: "Clear filters" }).at(-1) as HTMLElement);
  expect(onClear).toHaveBeenCalledOnce();
});

it("shows an error and tries again", async () => {
  server.use(
    http.get("*/api/v1/runs", () =>
      HttpResponse.json(
        { type: "x/internal", title: "Something broke", status: 500, requestId: "req_1" },
        { status: 500 },
      ),
    ),
  );
  const { user } = showList();

  expect(await screen.findByRole("alert")).toHaveTextContent("Something broke");
  mockRuns([runSample()]);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("row", { name: /Market/ })).toBeInTheDocument();
});

it("compares two selected runs, the older one first", async () => {
  mockRuns([runSample({ id: "run_new" }), runSample({ id: "run_old" })]);
  const { user } = showList();

  await user.click(await screen.findByRole("checkbox", { name: /run_new/ }));
  expect(screen.queryByRole("link", { name: "Compare" })).not.toBeInTheDocument();
  await user.click(screen.getByRole("checkbox", { name: /run_old/ }));

  const link = await screen.findByRole("link", { name: "Compare" });
  expect(link).toHaveAttribute("href", "/runs/compare?a=run_old&b=run_new");
});

it("stops the selected active runs and shows the result of each", async () => {
  mockRuns([
    runSample({ id: "run_a", status: "running", finishedAt: null }),
    runSample({ id: "run_b", status: "waiting", finishedAt: null, workflowName: "Quick one" }),
    runSample({ id: "run_c" }),
  ]);
  const modes: unknown[] = [];
  server.use(
    http.post("*/api/v1/runs/run_a/stop", async ({ request }) => {
      modes.push(await request.json());
      return HttpResponse.json({
        runId: "run_a",
        workflowId: "run_a",
        status: "stopped",
        message: "",
        receipt: { llmCallsInFlight: 1, abandoned: [] },
      });
    }),
    http.post("*/api/v1/runs/run_b/stop", () =>
      HttpResponse.json({ type: "x/run-already-finished", title: "Over" }, { status: 409 }),
    ),
  );
  const { user } = showList();

  await user.click(await screen.findByRole("checkbox", { name: "Select all runs shown" }));
  expect(screen.getByText("3 selected")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Stop 2…" }));
  const dialog = await screen.findByRole("dialog", { name: "Stop 2 runs?" });
  await user.click(within(dialog).getByRole("radio", { name: "Now" }));
  await user.click(within(dialog).getByRole("button", { name: "Stop 2 runs" }));

  expect(await within(dialog).findByText("2 of 2 processed")).toBeInTheDocument();
  expect(within(dialog).getByText("Stopped; 1 model call cancelled")).toBeInTheDocument();
  expect(within(dialog).getByText("Already finished")).toBeInTheDocument();
  expect(modes).toEqual([{ mode: "now" }]);
  await user.click(within(dialog).getByRole("button", { name: "Done" }));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
});

it("moves with j and k, and selects with x", async () => {
  mockRuns([runSample({ id: "run_a" }), runSample({ id: "run_b" })]);
  const { user } = showList();
  const [first, second] = await screen.findAllByRole("link", { name: /Market/ });

  await user.keyboard("j");
  expect(first).toHaveFocus();
  await user.keyboard("jj");
  expect(second).toHaveFocus();
  await user.keyboard("x");
  expect(screen.getByRole("checkbox", { name: /run_b/ })).toBeChecked();
  await user.keyboard("k");
  expect(first).toHaveFocus();
});

it("shows cards on phones", async () => {
  vi.stubGlobal("matchMedia", () => ({
    matches: true,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  mockRuns([runSample()]);
  showList();

  const card = await screen.findByRole("listitem");
  expect(within(card).getByRole("link")).toHaveAttribute("href", "/runs/run_1");
  expect(card).toHaveTextContent("Completed");
  expect(screen.queryByRole("table")).not.toBeInTheDocument();
});
