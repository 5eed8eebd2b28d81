/** Accessibility of the run list and the run page in every state, in both themes and at both sizes. */
import type { Page } from "@playwright/test";

import { expect, openPage, test } from "./fixtures";
import { ProductWithRuns } from "./product-with-runs";
import { atBothSizes, checkAccessibility } from "./themes";

let product: ProductWithRuns;

// All tests share one product and run in file order.
test.describe.configure({ mode: "default", timeout: 120_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await ProductWithRuns.start();
});

test.afterAll(async () => product.stop());

const openPath = (page: Page, path: string) => openPage(page, product.url + path);
const banner = (page: Page) => page.getByRole("region", { name: "Needs attention" });

async function chooseMenuItem(page: Page, button: string, item: string): Promise<void> {
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

atBothSizes("the run list", async ({ signedIn: page, isMobile }) => {
  await product.ensureRuns();
  await openPath(page, "/runs");
  await expect(page.getByText("Wrong key").first()).toBeVisible();
  await checkAccessibility(page, "runs in every state");
  await page.getByRole("checkbox", { name: /Reviewed brief/ }).check();
  await checkAccessibility(page, "one selected run");
  if (!isMobile) {
    await page.getByRole("button", { name: "Stop 1…" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await checkAccessibility(page, "dialog to stop the selected run");
  }

  await openPath(page, "/runs?status=%5B%22failed%22%5D");
  await expect(page.getByText("Wrong key").first()).toBeVisible();
  await checkAccessibility(page, "failed runs");
  await openPath(page, "/runs?q=zzzz");
  await expect(page.getByText("No runs matching “zzzz”")).toBeVisible();
  await checkAccessibility(page, "no results");
});

atBothSizes(
  "sharing a run, and the page of a public link",
  async ({ signedIn: page, browserErrors }) => {
    browserErrors.allow(/404/);
    const { completed } = await product.ensureRuns();
    await product.api.call("PATCH", "/api/v1/workspace", { allowsPublicLinks: true });
    await openPath(page, `/runs/${completed}`);
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByLabel("Show the inputs").check();
    await page.getByRole("button", { name: "Create public link" }).click();
    const link = page.getByRole("dialog").getByText(/\/shared#/);
    await expect(link).toBeVisible();
    await checkAccessibility(page, "dialog to share the run");

    await openPage(page, (await link.textContent()) ?? "");
    await expect(page.getByRole("heading", { name: "Inputs" })).toBeVisible();
    await expect(page.getByRole("navigation")).toHaveCount(0);
    await checkAccessibility(page, "shared run");
    await openPath(page, "/shared#not-a-link");
    await page.reload();
    await expect(page.getByText("The link is not valid")).toBeVisible();
    await checkAccessibility(page, "link that is not valid");
  },
);

atBothSizes("the comparison of two runs", async ({ signedIn: page, browserErrors }) => {
  browserErrors.allow(/404/);
  const { completed, second } = await product.ensureRuns();
  await openPath(page, "/runs/compare");
  await expect(page.getByRole("region", { name: "Run A" })).toBeVisible();
  await checkAccessibility(page, "no runs selected");
  await openPath(page, `/runs/compare?a=${completed}&b=${second}`);
  await expect(page.getByText("Both runs use the same definition.")).toBeVisible();
  await checkAccessibility(page, "two runs compared");
  await openPath(page, "/runs/compare?a=run_gone&b=run_lost");
  await expect(page.getByText("Run not found").first()).toBeVisible();
  await checkAccessibility(page, "run not found");
});

atBothSizes("active runs", async ({ signedIn: page }) => {
  const { queued, running, approval, budget } = await product.ensureRuns();
  await openPath(page, `/runs/${queued}`);
  await expect(page.getByRole("treeitem", { name: /research/ })).toBeVisible();
  await checkAccessibility(page, "queued");

  await openPath(page, `/runs/${running}`);
  await expect(page.getByRole("treeitem", { name: /LLM call.*running/ })).toBeVisible();
  await checkAccessibility(page, "running");
  await page.getByRole("button", { name: "Stop options" }).click();
  await expect(page.getByRole("menuitem", { name: "Stop now" })).toBeVisible();
  await checkAccessibility(page, "stop menu");
  for (const view of ["graph", "output", "chat"]) {
    await openPath(page, `/runs/${running}?view=${view}`);
    await expect(
      page.getByRole("tabpanel").getByText(/./).filter({ visible: true }).first(),
    ).toBeVisible();
    await waitForContent(page);
    await checkAccessibility(page, `running: ${view}`);
  }

  await openPath(page, `/runs/${approval}`);
  await expect(banner(page)).toContainText("requests approval");
  await expect(page.getByRole("treeitem", { name: /Approval requested/ })).toBeVisible();
  await checkAccessibility(page, "waiting for approval");
  await banner(page).getByRole("button", { name: "Review", exact: true }).click();
  await expect(banner(page).getByLabel(/^Feedback for/)).toBeVisible();
  // On a busy machine the form can still move below the pointer when its parts arrive.
  await expect(async () => {
    await banner(page).getByRole("button", { name: "Send back" }).click();
    await expect(banner(page).getByText("Describe what should change.")).toBeVisible({
      timeout: 2_000,
    });
  }).toPass();
  await checkAccessibility(page, "approval form with an error");
  await banner(page)
    .getByLabel(/^Feedback for/)
    .fill("No.");
  await banner(page).getByRole("button", { name: "Edit and approve" }).click();
  await expect(banner(page).getByLabel("Edited output")).toBeVisible();
  await checkAccessibility(page, "edited output");

  await openPath(page, `/runs/${budget}`);
  await expect(banner(page)).toContainText("Budget exceeded");
  await banner(page).getByLabel("New limit: Model calls").fill("1");
  await banner(page).getByRole("button", { name: "Raise limit and resume" }).click();
  await checkAccessibility(page, "budget form with an error");
});

atBothSizes("ended runs", async ({ signedIn: page, browserErrors, isMobile }) => {
  browserErrors.allow(/404/);
  const { completed, failed, stopped } = await product.ensureRuns();
  for (const [id, state] of [
    [completed, "Completed"],
    [stopped, "Stopped"],
    [failed, "Failed"],
  ] as const) {
    await openPath(page, `/runs/${id}`);
    await expect(page.getByText(state, { exact: true }).first()).toBeVisible();
    await expect(page.getByRole("treeitem").first()).toBeVisible();
    if (state === "Failed") await expect(banner(page)).toContainText("Failed in research");
    await checkAccessibility(page, state);
    if (isMobile) {
      await openPath(page, `/runs/${id}?view=details`);
      await waitForContent(page);
      await checkAccessibility(page, `${state}: details`);
    }
  }

  await showAsCrashed(page, failed);
  await openPath(page, `/runs/${failed}`);
  await expect(page.getByText("Crashed", { exact: true }).first()).toBeVisible();
  await expect(banner(page)).toBeVisible();
  await checkAccessibility(page, "Crashed");

  await openPath(page, "/runs/run_none");
  await expect(page.getByRole("heading", { level: 1, name: "Run not found" })).toBeVisible();
  await checkAccessibility(page, "run not found");
});

atBothSizes("the tabs, details and menus of a run", async ({ signedIn: page, isMobile }) => {
  const { completed } = await product.ensureRuns();
  for (const view of ["graph", "output", "chat", "input"]) {
    await openPath(page, `/runs/${completed}?view=${view}`);
    await waitForContent(page);
    await checkAccessibility(page, view);
  }
  await openPath(page, `/runs/${completed}?view=output`);
  await page.getByText("Raw", { exact: true }).click();
  await checkAccessibility(page, "raw output");

  await openPath(page, `/runs/${completed}`);
  await page
    .getByRole("treeitem", { name: /LLM call/ })
    .first()
    .click();
  const details = page.getByRole("region", { name: "Details" });
  await expect(details.getByRole("heading", { name: /LLM call/ })).toBeVisible();
  await checkAccessibility(page, "a model call");
  for (const tab of ["Input", "Raw"]) {
    await details.getByRole("tab", { name: tab }).click();
    await waitForContent(page);
    await checkAccessibility(page, `a model call: ${tab}`);
  }

  if (isMobile) await openPath(page, `/runs/${completed}`);
  await page.getByRole("button", { name: "Download" }).first().click();
  await expect(page.getByRole("menu")).toBeVisible();
  await checkAccessibility(page, "download menu");
  await page.keyboard.press("Escape");
  await chooseMenuItem(page, "More run options", "Re-run from a step…");
  await expect(page.getByRole("dialog", { name: "Re-run from a step" })).toBeVisible();
  await checkAccessibility(page, "fork dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox", { name: "Filter steps" }).fill("no such words");
  await expect(page.getByRole("button", { name: "Clear filters" })).toBeVisible();
  await checkAccessibility(page, "no step matches");
});

/** Waits until no skeleton is shown. */
async function waitForContent(page: Page): Promise<void> {
  await expect(page.locator(".animate-pulse.bg-hover")).toHaveCount(0);
}

/** Rewrites the responses for a failed run so that it appears as crashed. */
async function showAsCrashed(page: Page, runId: string): Promise<void> {
  await page.route(`**/api/v1/runs/${runId}*`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: replaceStatus(await response.text()) });
  });
  await page.route(`**/api/v1/runs/${runId}/events*`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: replaceStatus(await response.text()) });
  });
}

function replaceStatus(text: string): string {
  return text
    .replace('"status":"failed"', '"status":"crashed"')
    .replaceAll('"run.failed"', '"run.crashed"');
}
