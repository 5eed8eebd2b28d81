/** From an empty installation to a finished run of an own project on the built-in model. */
import { uniqueName } from "./api";
import { API_KEY } from "../playwright.config";
import { expect, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";
import { asFile, createProject, dropFile } from "./project-files";

/** Sign in, Projects, two for the choice of the model, Start. */
const MAX_CLICKS = 5;
const CLICKS_OF_A_CHOICE = 2;
/** The time is printed, not asserted: it depends on the machine. */
const MAX_WAIT_MS = 90_000;

test("a dropped project runs on the built-in model within five clicks", async ({ page }) => {
  test.setTimeout(240_000);
  const product = await FreshProduct.start({ LOCAL_MODEL: "auto" });
  try {
    const name = uniqueName("brief");
    await page.addInitScript(() => {
      document.addEventListener(
        "click",
        ({ isTrusted, detail }) => {
          // A choice in a list fires no click here, and Enter in a form fires one with `detail` 0.
          if (!isTrusted || detail === 0) return;
          const count = Number(sessionStorage.getItem("test:clicks") ?? 0);
          sessionStorage.setItem("test:clicks", String(count + 1));
        },
        true,
      );
    });
    const startedAt = Date.now();
    await page.goto(product.url);
    await page.getByLabel("API key", { exact: true }).fill(API_KEY);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Projects", exact: true }).click();
    await expect(page.getByRole("group", { name: "Upload a project" })).toBeVisible();
    await dropFile(page, asFile(createProject(name)));

    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await page.getByLabel("Every other model").selectOption("smollm2-135m");
    await expect(page.getByText("Models saved")).toBeVisible();
    await page.getByRole("button", { name: /^Start/ }).click();

    await expect(page).toHaveURL(/\/runs\/run_/, { timeout: MAX_WAIT_MS });
    await expect(page).toHaveTitle(/completed/, { timeout: MAX_WAIT_MS });
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    const clicks =
      CLICKS_OF_A_CHOICE +
      (await page.evaluate(() => Number(sessionStorage.getItem("test:clicks"))));
    console.log(`first project: 1 drop, ${clicks} clicks, ${seconds} s`);
    expect(clicks).toBeLessThanOrEqual(MAX_CLICKS);
    await page.getByRole("tab", { name: "Output" }).click();
    await expect(page.getByText("output/reports/today.md").first()).toBeVisible();
  } finally {
    await page.goto("about:blank"); // else it asks the stopped product
    await product.stop();
  }
});
