import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { CDPSession, Page } from "@playwright/test";

import { unique } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { hold } from "./provider";

const python = fileURLToPath(new URL("../../backend/.venv/bin/python", import.meta.url));
const lengthen = fileURLToPath(new URL("many-events.py", import.meta.url));
const USES = 5_000;
const MOST_BLOCKING_MS = 700;
const MOST_ROWS = 80;
/** A live burst: so many replies of the model, each with so many uses of a tool. */
const BURSTS = 5;
const USES_A_BURST = 1_000;
const MOST_HEAP_MB = 30;
/** The machine has other work too: the best of so many tries counts. */
const TRIES = 3;

test("ten thousand events leave the page quick", async ({ signedIn: page, api, provider }) => {
  test.setTimeout(240_000);
  const model = await api.model(provider.baseUrl);
  const yaml = twoTasks(model, unique("Many steps")).replace(
    `    llm: ${model}`,
    `    llm: ${model}\n    tools: [calculator]`,
  );
  const sum = { kind: "CallTools", calls: [["calculator", { expression: "2+2" }]] };
  await provider.script([{ contains: "Find three", reply: sum, times: 1 }, "Three facts."]);
  const runId = await api.run(await api.workflow(yaml));
  await api.until(runId, "completed");
  const told = Number(execFileSync(python, [lengthen, runId, String(USES)]).toString());
  expect(told).toBeGreaterThan(10_000);

  await observeBlocking(page);
  const blocked = await bestBlocking(page, runId);
  console.log(`${told} events, ${blocked} ms blocked`);
  expect(blocked).toBeLessThanOrEqual(MOST_BLOCKING_MS);
});

test("ten thousand events that come while one looks on leave the page quick", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.setTimeout(240_000);
  const model = await api.model(provider.baseUrl);
  const yaml = twoTasks(model, unique("Burst")).replace(
    `    llm: ${model}`,
    `    llm: ${model}\n    tools: [calculator]`,
  );
  const workflowId = await api.workflow(yaml);
  await observeBlocking(page);
  let best = Infinity;
  for (let tries = 0; tries < TRIES && best > MOST_BLOCKING_MS; tries += 1) {
    await provider.script([
      { contains: "Find three", reply: hold(`burst ${tries}`, sums(0)), times: 1 },
      ...Array.from({ length: BURSTS - 1 }, (_, at) => ({
        contains: "Find three",
        reply: sums(at + 1),
        times: 1,
      })),
      "Three facts.",
    ]);
    const runId = await api.run(workflowId);
    await open(page, `/runs/${runId}`);
    await expect(page.getByRole("treeitem", { name: /LLM call.*running/ })).toBeVisible();
    const cdp = await page.context().newCDPSession(page);
    const before = await heapOf(cdp);
    await watchRows(page);
    const begun = Date.now();
    await provider.release(`burst ${tries}`);
    await expect(page.getByText("2/2", { exact: true })).toBeVisible({ timeout: 90_000 });
    await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
    const took = Date.now() - begun;

    const { blocked, most } = await page.evaluate(() => {
      const seen = window as unknown as { blocked: number; most: number };
      return { blocked: seen.blocked, most: seen.most };
    });
    const { run } = await api.call<{ run: { lastSeq: number } }>("GET", `/api/v1/runs/${runId}`);
    const grown = (await heapOf(cdp)) - before;
    console.log(
      `${run.lastSeq} events in ${took} ms: ${Math.round(blocked)} ms blocked, ` +
        `at most ${most} rows, heap +${grown.toFixed(1)} MB`,
    );
    expect(run.lastSeq).toBeGreaterThan(10_000);
    expect(most).toBeLessThanOrEqual(MOST_ROWS);
    expect(grown).toBeLessThanOrEqual(MOST_HEAP_MB);
    best = Math.min(best, blocked);
  }
  expect(best).toBeLessThanOrEqual(MOST_BLOCKING_MS);
});

/** A reply of the model that uses the calculator many times. */
function sums(burst: number) {
  const calls = Array.from({ length: USES_A_BURST }, (_, at) => [
    "calculator",
    { expression: `${burst}+${at}` },
  ]);
  return { kind: "CallTools", calls };
}

/** Counts the rows whenever the page changes, and begins to count the blocking anew. */
async function watchRows(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen = window as unknown as { blocked: number; most: number };
    seen.most = 0;
    seen.blocked = 0;
    const tree = document.querySelector("#main");
    if (!tree) return;
    new MutationObserver(() => {
      seen.most = Math.max(seen.most, tree.querySelectorAll('[role="treeitem"]').length);
    }).observe(tree, { childList: true, subtree: true });
  });
}

/** The page's heap in MB, without what nobody holds any more. */
async function heapOf(cdp: CDPSession): Promise<number> {
  await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  return usedSize / 1_000_000;
}

/** Notes each task of the browser that was longer than 50 ms. */
async function observeBlocking(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const found = window as unknown as { blocked: number };
    found.blocked = 0;
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) found.blocked += Math.max(0, task.duration - 50);
    }).observe({ type: "longtask", buffered: true });
  });
}

async function bestBlocking(page: Page, runId: string): Promise<number> {
  let best = Infinity;
  for (let tries = 0; tries < TRIES && best > MOST_BLOCKING_MS; tries += 1) {
    best = Math.min(best, await blockingOf(page, runId));
  }
  return Math.round(best);
}

/** Opens the run, waits until all of it is there, and looks at its end. */
async function blockingOf(page: Page, runId: string): Promise<number> {
  await open(page, `/runs/${runId}`);
  const tree = page.getByRole("tree", { name: "Steps of the run" });
  await expect(tree.getByRole("treeitem", { name: /Tool: calculator/ }).first()).toBeVisible();
  await expect(page.getByText("2/2", { exact: true })).toBeVisible();
  await tree.focus();
  await page.keyboard.press("End");
  await expect(tree.getByRole("treeitem", { name: /writer|draft|LLM call/ }).last()).toBeVisible();
  expect(await page.getByRole("treeitem").count()).toBeLessThanOrEqual(MOST_ROWS);
  return page.evaluate(() => (window as unknown as { blocked: number }).blocked);
}
