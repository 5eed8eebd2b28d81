import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { CDPSession, Page } from "@playwright/test";

import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { measureWorkUnitMs } from "./machine-speed";
import { gateReply } from "./provider";

const python = fileURLToPath(new URL("../../backend/.venv/bin/python", import.meta.url));
const manyEvents = fileURLToPath(new URL("many-events.py", import.meta.url));
const TOOL_CALLS = 5_000;
/** In multiples of a fixed piece of work, so that a slow machine does not fail: 700 ms on a machine of 2025. */
const MAX_BLOCKING_UNITS = 26;
const MAX_ROWS = 80;
/** The live test: the number of model replies, and the tool calls requested by each. */
const BURSTS = 5;
const CALLS_PER_BURST = 1_000;
const MAX_HEAP_GROWTH_MB = 30;
/** The best of several attempts counts, because the machine may be busy. */
const MAX_ATTEMPTS = 3;

test("opening a run with ten thousand events does not block the page", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.setTimeout(240_000);
  const model = await api.createModel(provider.baseUrl);
  const yaml = twoTasks(model, uniqueName("Many steps")).replace(
    `    llm: ${model}`,
    `    llm: ${model}\n    tools: [calculator]`,
  );
  const sum = { kind: "CallTools", calls: [["calculator", { expression: "2+2" }]] };
  await provider.script([{ contains: "Find three", reply: sum, times: 1 }, "Three facts."]);
  const runId = await api.startRun(await api.createWorkflow(yaml));
  await api.waitForStatus(runId, "completed");
  const eventCount = Number(
    execFileSync(python, [manyEvents, runId, String(TOOL_CALLS)]).toString(),
  );
  expect(eventCount).toBeGreaterThan(10_000);

  await observeBlocking(page);
  const limit = MAX_BLOCKING_UNITS * (await measureWorkUnitMs(page));
  const blocked = await bestBlockingMs(page, runId, limit);
  console.log(`${eventCount} events, ${blocked} ms blocked, limit ${Math.round(limit)} ms`);
  expect(blocked).toBeLessThanOrEqual(limit);
});

test("receiving ten thousand live events does not block the page", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.setTimeout(240_000);
  const model = await api.createModel(provider.baseUrl);
  const yaml = twoTasks(model, uniqueName("Burst")).replace(
    `    llm: ${model}`,
    `    llm: ${model}\n    tools: [calculator]`,
  );
  const workflowId = await api.createWorkflow(yaml);
  await observeBlocking(page);
  let limit = MAX_BLOCKING_UNITS * (await measureWorkUnitMs(page));
  let best = Infinity;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && best > limit; attempt += 1) {
    await provider.script([
      {
        contains: "Find three",
        reply: gateReply(`burst ${attempt}`, createToolCalls(0)),
        times: 1,
      },
      ...Array.from({ length: BURSTS - 1 }, (_, index) => ({
        contains: "Find three",
        reply: createToolCalls(index + 1),
        times: 1,
      })),
      "Three facts.",
    ]);
    const runId = await api.startRun(workflowId);
    await openPage(page, `/runs/${runId}`);
    await expect(page.getByRole("treeitem", { name: /LLM call.*running/ })).toBeVisible();
    const cdp = await page.context().newCDPSession(page);
    const before = await heapSize(cdp);
    await observeRows(page);
    const startedAt = Date.now();
    await provider.releaseGate(`burst ${attempt}`);
    await expect(page.getByText("2/2", { exact: true })).toBeVisible({ timeout: 90_000 });
    await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
    const elapsedMs = Date.now() - startedAt;

    const { blocked, maxRows } = await page.evaluate(() => {
      const metrics = window as unknown as { blocked: number; maxRows: number };
      return { blocked: metrics.blocked, maxRows: metrics.maxRows };
    });
    const { run } = await api.call<{ run: { lastSeq: number } }>("GET", `/api/v1/runs/${runId}`);
    const heapGrowth = (await heapSize(cdp)) - before;
    console.log(
      `${run.lastSeq} events in ${elapsedMs} ms: ${Math.round(blocked)} ms blocked, ` +
        `at most ${maxRows} rows, heap +${heapGrowth.toFixed(1)} MB`,
    );
    expect(run.lastSeq).toBeGreaterThan(10_000);
    expect(maxRows).toBeLessThanOrEqual(MAX_ROWS);
    expect(heapGrowth).toBeLessThanOrEqual(MAX_HEAP_GROWTH_MB);
    best = Math.min(best, blocked);
    limit = Math.max(limit, MAX_BLOCKING_UNITS * (await measureWorkUnitMs(page)));
  }
  expect(best).toBeLessThanOrEqual(limit);
});

/** A model reply that requests many calculator calls. */
function createToolCalls(burst: number) {
  const calls = Array.from({ length: CALLS_PER_BURST }, (_, index) => [
    "calculator",
    { expression: `${burst}+${index}` },
  ]);
  return { kind: "CallTools", calls };
}

/** Records the highest number of rows, and resets the recorded blocking time. */
async function observeRows(page: Page): Promise<void> {
  await page.evaluate(() => {
    const metrics = window as unknown as { blocked: number; maxRows: number };
    metrics.maxRows = 0;
    metrics.blocked = 0;
    const tree = document.querySelector("#main");
    if (!tree) return;
    new MutationObserver(() => {
      metrics.maxRows = Math.max(
        metrics.maxRows,
        tree.querySelectorAll('[role="treeitem"]').length,
      );
    }).observe(tree, { childList: true, subtree: true });
  });
}

/** The page's heap in MB after garbage collection. */
async function heapSize(cdp: CDPSession): Promise<number> {
  await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  return usedSize / 1_000_000;
}

/** Adds up the time of browser tasks beyond 50 ms each. */
async function observeBlocking(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const metrics = window as unknown as { blocked: number };
    metrics.blocked = 0;
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) metrics.blocked += Math.max(0, task.duration - 50);
    }).observe({ type: "longtask", buffered: true });
  });
}

async function bestBlockingMs(page: Page, runId: string, limit: number): Promise<number> {
  let best = Infinity;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && best > limit; attempt += 1) {
    best = Math.min(best, await measureBlocking(page, runId));
  }
  return Math.round(best);
}

/** Opens the run, waits until it is loaded, scrolls to its end, and returns the blocking time in ms. */
async function measureBlocking(page: Page, runId: string): Promise<number> {
  await openPage(page, `/runs/${runId}`);
  const tree = page.getByRole("tree", { name: "Run steps" });
  await expect(tree.getByRole("treeitem", { name: /Tool: calculator/ }).first()).toBeVisible();
  await expect(page.getByText("2/2", { exact: true })).toBeVisible();
  await tree.focus();
  await page.keyboard.press("End");
  await expect(tree.getByRole("treeitem", { name: /writer|draft|LLM call/ }).last()).toBeVisible();
  expect(await page.getByRole("treeitem").count()).toBeLessThanOrEqual(MAX_ROWS);
  return page.evaluate(() => (window as unknown as { blocked: number }).blocked);
}
