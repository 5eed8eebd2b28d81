/** What axe says of the frame, the settings, the models and the sign-in: both themes, both sizes. */
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
const dialog = (page: Page) => page.getByRole("dialog");

atBothSizes("the frame and what opens in it", async ({ signedIn: page, isMobile }) => {
  await product.runs();
  await go(page, "/settings");
  await expect(page.getByText("SQLite")).toBeVisible();
  await look(page, "settings");
  await page.getByRole("button", { name: "Clear drafts and preferences" }).click();
  await look(page, "settings: clear");
  await page.keyboard.press("Escape");

  for (const name of ["Theme", "Account", /^Needs attention: \d/]) {
    await page.getByRole("button", { name }).click();
    await expect(dialog(page)).toBeVisible();
    await look(page, `flyout ${String(name)}`);
    await page.keyboard.press("Escape");
    await expect(dialog(page)).toHaveCount(0);
  }
  await page.keyboard.press("Control+k");
  await dialog(page).getByRole("combobox").fill("brief");
  await expect(page.getByRole("option", { name: "Reviewed brief", exact: true })).toBeVisible();
  await look(page, "palette");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await look(page, "shortcuts");
  await page.keyboard.press("Escape");
  const fold = isMobile ? "Open menu" : "Collapse sidebar";
  await page.getByRole("button", { name: fold }).click();
  // The tooltip of the button under the pointer is no state of the page.
  await page.mouse.move(700, 500);
  await expect(page.getByRole("tooltip")).toHaveCount(0);
  await look(page, fold);
});

atBothSizes("providers and models", async ({ signedIn: page }) => {
  await product.runs();
  await go(page, "/models");
  await expect(page.getByRole("region").first()).toBeVisible();
  await look(page, "models");
  const delete_ = page.getByRole("button", { name: /^Delete provider-/ });
  await delete_.first().click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await look(page, "delete a provider");
  await page.keyboard.press("Escape");

  await go(page, "/models?provider=new");
  await expect(dialog(page).getByRole("button", { name: /Anthropic/ })).toBeVisible();
  await look(page, "whose models");
  await dialog(page)
    .getByRole("button", { name: /OpenAI-compatible/ })
    .click();
  await dialog(page).getByLabel("Name").fill("Elsewhere");
  await dialog(page).getByLabel("Base URL").fill("http://127.0.0.1:9/v1");
  await dialog(page).getByRole("button", { name: "Test connection" }).click();
  await expect(dialog(page).getByText("No connection", { exact: true })).toBeVisible();
  await look(page, "a test that failed");
  await dialog(page).getByLabel("Base URL").fill(product.provider.baseUrl);
  await dialog(page).getByRole("button", { name: "Test connection" }).click();
  await expect(dialog(page).getByText(/^Connected · /)).toBeVisible();
  await look(page, "a test that passed");

  const { providers } = await product.api.call<{ providers: { id: string }[] }>(
    "GET",
    "/api/v1/providers",
  );
  const id = providers[0]?.id;
  await go(page, `/models?provider=${id}`);
  await expect(dialog(page).getByText(/Stored, encrypted/)).toBeVisible();
  await look(page, "edit a provider");
  await go(page, `/models?provider=${id}&model=new`);
  await expect(dialog(page).getByRole("heading", { name: "Add a model" })).toBeVisible();
  await dialog(page).getByText("Capabilities").first().click();
  await dialog(page).getByText("Price per million tokens").first().click();
  await dialog(page).getByRole("button", { name: "Add model" }).click();
  await look(page, "a model, with faults");
  await dialog(page).getByText("Settings").first().click();
  await dialog(page)
    .getByText("Settings")
    .first()
    .evaluate((head) => head.scrollIntoView());
  await look(page, "a model's settings");
});

atBothSizes("signing in", async ({ page, complaints }) => {
  complaints.allow(/status of 401/);
  await go(page, "/sign-in");
  await expect(page.getByLabel("API key")).toBeVisible();
  await look(page, "sign in");
  await page.getByLabel("API key").fill("not-the-key");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("Invalid API key")).toBeVisible();
  await page.getByText("Where do I find the API key?").click();
  await look(page, "a wrong key");
  await page.evaluate(() => sessionStorage.setItem("crewai-runner:api-key", "was-valid-once"));
  await go(page, "/settings");
  await expect(page.getByRole("dialog", { name: "Sign in again" })).toBeVisible();
  await look(page, "sign in again");
});
