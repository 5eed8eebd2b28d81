import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import type { Memory, Workflow } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { MemoryTab } from "./memory-tab";

const workflow = (memory: boolean) =>
  ({ id: "wf_1", name: "Support", definition: { memory } }) as unknown as Workflow;

const sampleMemory = (id: string, content: string): Memory => ({
  id,
  content,
  scope: "/crew/facts",
  categories: ["fact"],
  importance: 0.5,
  runId: "run_1",
  createdAt: "2026-11-22T10:00:00Z",
  accessedAt: "2026-11-22T10:00:00Z",
});

/** Mocks the list; returns the texts that were searched for. */
function mockMemories(...memories: Memory[]) {
  const searched: string[] = [];
  server.use(
    http.get("*/api/v1/workflows/wf_1/memories", ({ request }) => {
      const text = new URL(request.url).searchParams.get("q") ?? "";
      searched.push(text);
      const found = memories.filter(({ content }) => content.includes(text));
      return HttpResponse.json({ memories: found, total: found.length, nextCursor: null });
    }),
  );
  return searched;
}

it("says how to switch memory on", async () => {
  mockMemories();
  const { findByText } = renderWithRouter(<MemoryTab workflow={workflow(false)} />);
  expect(await findByText("Memory is off")).toBeVisible();
});

it("searches memories", async () => {
  mockMemories(sampleMemory("m1", "Tea is green."), sampleMemory("m2", "Coffee is black."));
  const { user, findByText, findByRole, queryByText } = renderWithRouter(
    <MemoryTab workflow={workflow(true)} />,
  );
  expect(await findByText("2 memories")).toBeVisible();
  await user.type(await findByRole("searchbox", { name: "Search memories" }), "Tea");
  expect(await findByText("1 memory")).toBeVisible();
  expect(queryByText("Coffee is black.")).not.toBeInTheDocument();
});

it("deletes the selected memories after a confirmation", async () => {
  mockMemories(sampleMemory("m1", "Tea is green."), sampleMemory("m2", "Coffee is black."));
  const deleted: unknown[] = [];
  server.use(
    http.post("*/api/v1/workflows/wf_1/memories/delete", async ({ request }) => {
      deleted.push(await request.json());
      return HttpResponse.json({ deleted: 1 });
    }),
  );
  const { user, findByRole } = renderWithRouter(<MemoryTab workflow={workflow(true)} />);
  await user.click(await findByRole("checkbox", { name: "Select: Coffee is black." }));
  await user.click(await findByRole("button", { name: "Delete 1 selected" }));
  await user.click(await findByRole("button", { name: "Delete memories" }));
  await expect.poll(() => deleted).toEqual([{ ids: ["m2"] }]);
});
