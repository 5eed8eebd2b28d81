import { Api, uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";
import { gateReply } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

test("shows finished runs, runs that need attention and active runs @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const broken = uniqueName("broken");
  const busy = uniqueName("busy");
  const done = await api.startRun(await api.createWorkflow(twoTasks(model, uniqueName("fine"))));
  await api.waitForStatus(done, "completed");
  await provider.script([{ kind: "Fail", status: 401, message: "Wrong key" }]);
  const failed = await api.startRun(await api.createWorkflow(twoTasks(model, broken)));
  await api.waitForStatus(failed, "failed");
  await provider.script([gateReply("go", "Done.")]);
  const live = await api.startRun(await api.createWorkflow(twoTasks(model, busy)));
  await api.waitForStatus(live, "running");

  await openPage(page, "/");
  const panel = (name: RegExp) =>
    page.locator("section").filter({ has: page.getByRole("heading", { level: 2, name }) });
  await expect(panel(/Needs attention/).getByRole("link", { name: broken })).toContainText(
    "Wrong key",
  );
  await expect(panel(/Active runs/).getByRole("link", { name: busy })).toContainText("Running");
  await expect(page.getByRole("img", { name: /runs? in the last 24 hours: \d+ / })).toBeVisible();
  const overflow = await page
    .getByRole("main")
    .evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(overflow).toBe(0);

  const chart = panel(/^Runs$/);
  await chart.getByRole("slider").focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowRight");
  await expect(chart.getByRole("slider")).toHaveAttribute("aria-valuetext", /Completed [1-9]/);
  await chart.getByText("Show as table").click();
  await expect(chart.getByRole("columnheader", { name: "Completed" })).toBeVisible();

  await page.getByText("30 days").click();
  await expect(page).toHaveURL(/period=30d/);
  await expect(page.getByRole("img", { name: /in the last 30 days/ })).toBeVisible();

  await provider.releaseGate("go");
  await expect(panel(/Active runs/).getByRole("link", { name: busy })).toHaveCount(0);
  await panel(/Needs attention/)
    .getByRole("link", { name: broken })
    .click();
  await expect(page).toHaveURL(new RegExp(`/runs/${failed}`));
});

test("a new installation offers a demo on the local model", async ({ signedIn: page }) => {
  test.slow();
  const product = await FreshProduct.start({ LOCAL_MODEL: "auto" });
  try {
    await openPage(page, product.url);
    await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(3);
    await expect(page.getByRole("button", { name: "Run the demo" })).toBeEnabled();
    await expectAccessibleInBothThemes(page);

    await page.getByRole("button", { name: "Run the demo" }).click();

    await expect(page).toHaveURL(/\/runs\/run_/);
    const runId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await new Api(product.url).waitForStatus(runId, "running", "completed");
    await openPage(page, product.url);
    await expect(page.getByRole("heading", { level: 2, name: /Active runs/ })).toBeVisible();
    await expect(page.getByText("Run the demo")).toHaveCount(0);
  } finally {
    // Close the page first: its polling would log errors once the product has stopped.
    await page.close();
    await product.stop();
  }
});

test("offers to connect a provider when there is no local model @phone", async ({
  signedIn: page,
}) => {
  test.slow();
  const product = await FreshProduct.start();
  try {
    await openPage(page, product.url);
    await expect(page.getByText(/Switched off/)).toBeVisible();
    await expect(page.getByRole("button", { name: "Run the demo" })).toHaveCount(0);

    await page.getByRole("link", { name: "Connect a provider" }).click();
    await expect(page).toHaveURL(/\/models\?provider=new/);
  } finally {
    // Close the page first: its polling would log errors once the product has stopped.
    await page.close();
    await product.stop();
  }
});
