import { Api, unique } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";
import { hold } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

test("shows how runs went, what needs a person and what is at work @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.model(provider.baseUrl);
  const broken = unique("broken");
  const busy = unique("busy");
  const done = await api.run(await api.workflow(twoTasks(model, unique("fine"))));
  await api.until(done, "completed");
  await provider.script([{ kind: "Fail", status: 401, message: "Wrong key" }]);
  const failed = await api.run(await api.workflow(twoTasks(model, broken)));
  await api.until(failed, "failed");
  await provider.script([hold("go", "Done.")]);
  const live = await api.run(await api.workflow(twoTasks(model, busy)));
  await api.until(live, "running");

  await open(page, "/");
  const panel = (name: RegExp) =>
    page.locator("section").filter({ has: page.getByRole("heading", { level: 2, name }) });
  await expect(panel(/Needs attention/).getByRole("link", { name: broken })).toContainText(
    "Wrong key",
  );
  await expect(panel(/Active runs/).getByRole("link", { name: busy })).toContainText("Running");
  await expect(page.getByRole("img", { name: /runs? in the last 24 hours: \d+ / })).toBeVisible();
  const sideways = await page
    .getByRole("main")
    .evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(sideways).toBe(0);

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

  await provider.release("go");
  await expect(panel(/Active runs/).getByRole("link", { name: busy })).toHaveCount(0);
  await panel(/Needs attention/)
    .getByRole("link", { name: broken })
    .click();
  await expect(page).toHaveURL(new RegExp(`/runs/${failed}`));
});

test("begins with one card whose demo runs on the local model", async ({ signedIn: page }) => {
  test.slow();
  const product = await FreshProduct.start({ LOCAL_MODEL: "auto" });
  try {
    await open(page, product.url);
    await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(3);
    await expect(page.getByRole("button", { name: "Run the demo" })).toBeEnabled();
    await expectAccessibleInBothThemes(page);

    await page.getByRole("button", { name: "Run the demo" }).click();

    await expect(page).toHaveURL(/\/runs\/run_/);
    const runId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await new Api(product.url).until(runId, "running", "completed");
    await open(page, product.url);
    await expect(page.getByRole("heading", { level: 2, name: /Active runs/ })).toBeVisible();
    await expect(page.getByText("Run the demo")).toHaveCount(0);
  } finally {
    // A page that goes on asking would complain of the product's end.
    await page.close();
    await product.stop();
  }
});

test("offers a provider where there is no local model @phone", async ({ signedIn: page }) => {
  test.slow();
  const product = await FreshProduct.start({ LOCAL_MODEL: "off" });
  try {
    await open(page, product.url);
    await expect(page.getByText(/Switched off/)).toBeVisible();
    await expect(page.getByRole("button", { name: "Run the demo" })).toHaveCount(0);

    await page.getByRole("link", { name: "Connect a provider" }).click();
    await expect(page).toHaveURL(/\/models\?provider=new/);
  } finally {
    // A page that goes on asking would complain of the product's end.
    await page.close();
    await product.stop();
  }
});
