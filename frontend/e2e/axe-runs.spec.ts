/** What axe says of the runs: their list and their page in every state, both themes, both sizes. */
import type { Page } from "@playwright/test";

import { expect, open, test } from "./fixtures";
import { Prepared } from "./prepared-runs";
import { atBothSizes, look } from "./themes";

let product: Prepared;

// One product for all of it, in the order of the file.
test.describe.configure({ mode: "default", timeout: 120_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await Prepared.start();
});

test.afterAll(async () => product.stop());

const go = (page: Page, path: string) => open(page, product.url + path);
const banner = (page: Page) => page.getByRole("region", { name: "Needs attention" });

async function pick(page: Page, button: string, item: string): Promise<void> {
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

atBothSizes("the list of the runs", async ({ signedIn: page, isMobile }) => {
  await product.runs();
  await go(page, "/runs");
  await expect(page.getByText("Wrong key").first()).toBeVisible();
  await look(page, "runs in every state");
  await page.getByRole("checkbox", { name: /Reviewed brief/ }).check();
  await look(page, "one is selected");
  if (!isMobile) {
    await page.getByRole("button", { name: "Stop 1…" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await look(page, "stop what is selected");
  }

  await go(page, "/runs?status=%5B%22failed%22%5D");
  await expect(page.getByText("Wrong key").first()).toBeVisible();
  await look(page, "only the failed");
  await go(page, "/runs?q=zzzz");
  await expect(page.getByText("No runs matching “zzzz”")).toBeVisible();
  await look(page, "none found");
});

atBothSizes("two runs side by side", async ({ signedIn: page, complaints }) => {
  complaints.allow(/404/);
  const { completed, second } = await product.runs();
  await go(page, "/runs/compare");
  await expect(page.getByRole("region", { name: "Run A" })).toBeVisible();
  await look(page, "nothing chosen");
  await go(page, `/runs/compare?a=${completed}&b=${second}`);
  await expect(page.getByText("Both runs followed the same definition.")).toBeVisible();
  await look(page, "compared");
  await go(page, "/runs/compare?a=run_gone&b=run_lost");
  await expect(page.getByText("Run not found").first()).toBeVisible();
  await look(page, "not there");
});

atBothSizes("runs that are under way", async ({ signedIn: page }) => {
  const { queued, running, approval, budget } = await product.runs();
  await go(page, `/runs/${queued}`);
  await expect(page.getByRole("treeitem", { name: /research/ })).toBeVisible();
  await look(page, "queued");

  await go(page, `/runs/${running}`);
  await expect(page.getByRole("treeitem", { name: /LLM call.*running/ })).toBeVisible();
  await look(page, "running");
  await page.getByRole("button", { name: "Stop options" }).click();
  await expect(page.getByRole("menuitem", { name: "Stop now" })).toBeVisible();
  await look(page, "ways to stop");
  for (const view of ["graph", "output", "chat"]) {
    await go(page, `/runs/${running}?view=${view}`);
    await expect(page.getByRole("tabpanel").getByText(/./).first()).toBeVisible();
    await settled(page);
    await look(page, `running: ${view}`);
  }

  await go(page, `/runs/${approval}`);
  await expect(banner(page)).toContainText("requests approval");
  await expect(page.getByRole("treeitem", { name: /Approval requested/ })).toBeVisible();
  await look(page, "waiting for a person");
  await banner(page).getByRole("button", { name: "Review", exact: true }).click();
  await expect(banner(page).getByLabel(/^Feedback for/)).toBeVisible();
  await banner(page).getByRole("button", { name: "Send back" }).click();
  await expect(banner(page).getByText("Describe what should change.")).toBeVisible();
  await look(page, "the answer's form, with a fault");
  await banner(page)
    .getByLabel(/^Feedback for/)
    .fill("No.");
  await banner(page).getByRole("button", { name: "Edit and approve" }).click();
  await expect(banner(page).getByLabel("Edited output")).toBeVisible();
  await look(page, "an own text");

  await go(page, `/runs/${budget}`);
  await expect(banner(page)).toContainText("Budget exceeded");
  await banner(page).getByLabel("New limit: Model calls").fill("1");
  await banner(page).getByRole("button", { name: "Raise limit and resume" }).click();
  await look(page, "waiting for a budget, with a fault");
});

atBothSizes("runs that are over", async ({ signedIn: page, complaints, isMobile }) => {
  complaints.allow(/404/);
  const { completed, failed, stopped } = await product.runs();
  for (const [id, state] of [
    [completed, "Completed"],
    [stopped, "Stopped"],
    [failed, "Failed"],
  ] as const) {
    await go(page, `/runs/${id}`);
    await expect(page.getByText(state, { exact: true }).first()).toBeVisible();
    await expect(page.getByRole("treeitem").first()).toBeVisible();
    if (state === "Failed") await expect(banner(page)).toContainText("Failed in research");
    await look(page, state);
    if (isMobile) {
      await go(page, `/runs/${id}?view=details`);
      await settled(page);
      await look(page, `${state}: details`);
    }
  }

  await crashes(page, failed);
  await go(page, `/runs/${failed}`);
  await expect(page.getByText("Crashed", { exact: true }).first()).toBeVisible();
  await expect(banner(page)).toBeVisible();
  await look(page, "Crashed");

  await go(page, "/runs/run_none");
  await expect(page.getByRole("heading", { level: 1, name: "Run not found" })).toBeVisible();
  await look(page, "not there");
});

atBothSizes("the tabs, details and menus of a run", async ({ signedIn: page, isMobile }) => {
  const { completed } = await product.runs();
  for (const view of ["graph", "output", "chat", "input"]) {
    await go(page, `/runs/${completed}?view=${view}`);
    await settled(page);
    await look(page, view);
  }
  await go(page, `/runs/${completed}?view=output`);
  await page.getByText("Raw", { exact: true }).click();
  await look(page, "raw output");

  await go(page, `/runs/${completed}`);
  await page
    .getByRole("treeitem", { name: /LLM call/ })
    .first()
    .click();
  const details = page.getByRole("region", { name: "Details" });
  await expect(details.getByRole("heading", { name: /LLM call/ })).toBeVisible();
  await look(page, "a model call");
  for (const tab of ["Input", "Raw"]) {
    await details.getByRole("tab", { name: tab }).click();
    await settled(page);
    await look(page, `a model call: ${tab}`);
  }

  if (isMobile) await go(page, `/runs/${completed}`);
  await page.getByRole("button", { name: "Download" }).first().click();
  await expect(page.getByRole("menu")).toBeVisible();
  await look(page, "what can be downloaded");
  await page.keyboard.press("Escape");
  await pick(page, "More run options", "Re-run from a step…");
  await expect(page.getByRole("dialog", { name: "Re-run from a step" })).toBeVisible();
  await look(page, "from which step");
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox", { name: "Filter steps" }).fill("no such words");
  await expect(page.getByRole("button", { name: "Clear filters" })).toBeVisible();
  await look(page, "no step matches");
});

/** Waits until nothing is loading. */
async function settled(page: Page): Promise<void> {
  await expect(page.locator(".animate-pulse.bg-hover")).toHaveCount(0);
}

/** Tells a failed run as one whose worker died; nobody dies for a picture. */
async function crashes(page: Page, runId: string): Promise<void> {
  await page.route(`**/api/v1/runs/${runId}*`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: asCrash(await answer.text()) });
  });
  await page.route(`**/api/v1/runs/${runId}/events*`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: asCrash(await answer.text()) });
  });
}

function asCrash(told: string): string {
  return told
    .replace('"status":"failed"', '"status":"crashed"')
    .replaceAll('"run.failed"', '"run.crashed"');
}
