/** Accessibility of the app shell, settings, models and sign-in, in both themes and at both sizes. */
import type { Page } from "@playwright/test";

import { expect, expireSession, openPage, signIn, test } from "./fixtures";
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
const dialog = (page: Page) => page.getByRole("dialog");

atBothSizes("the app shell and its popovers", async ({ signedIn: page, isMobile }) => {
  await product.ensureRuns();
  await openPath(page, "/settings");
  await expect(page.getByText("SQLite")).toBeVisible();
  await checkAccessibility(page, "settings");
  await page.getByRole("button", { name: "Change limits" }).click();
  await page.getByLabel("Runs at once").fill("7");
  await checkAccessibility(page, "settings: limits");
  await page.getByRole("button", { name: "Save limits" }).click();
  await expect(page.getByText(/of 7$/)).toBeVisible();
  await page.getByRole("button", { name: "Clear drafts and preferences" }).click();
  await checkAccessibility(page, "settings: clear");
  await page.keyboard.press("Escape");

  for (const name of ["Theme", "Account", /^Needs attention: \d/]) {
    await page.getByRole("button", { name }).click();
    await expect(dialog(page)).toBeVisible();
    await checkAccessibility(page, `popover ${String(name)}`);
    await page.keyboard.press("Escape");
    await expect(dialog(page)).toHaveCount(0);
  }
  await page.keyboard.press("Control+k");
  await dialog(page).getByRole("combobox").fill("brief");
  await expect(page.getByRole("option", { name: "Reviewed brief", exact: true })).toBeVisible();
  await checkAccessibility(page, "palette");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await checkAccessibility(page, "shortcuts");
  await page.keyboard.press("Escape");
  const sidebarButton = isMobile ? "Open menu" : "Collapse sidebar";
  await page.getByRole("button", { name: sidebarButton }).click();
  // Move the pointer away, so that the button's tooltip closes.
  await page.mouse.move(700, 500);
  await expect(page.getByRole("tooltip")).toHaveCount(0);
  await checkAccessibility(page, sidebarButton);
});

atBothSizes("providers and models", async ({ signedIn: page }) => {
  await product.ensureRuns();
  await openPath(page, "/models");
  await expect(page.getByRole("region").first()).toBeVisible();
  await checkAccessibility(page, "models");
  const deleteButton = page.getByRole("button", { name: /^Delete provider-/ });
  await deleteButton.first().click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await checkAccessibility(page, "delete a provider");
  await page.keyboard.press("Escape");

  await openPath(page, "/models?provider=new");
  await expect(dialog(page).getByRole("button", { name: /Anthropic/ })).toBeVisible();
  await checkAccessibility(page, "provider types");
  await dialog(page)
    .getByRole("button", { name: /OpenAI-compatible/ })
    .click();
  await dialog(page).getByLabel("Name").fill("Elsewhere");
  await dialog(page).getByLabel("Base URL").fill("http://127.0.0.1:9/v1");
  await dialog(page).getByRole("button", { name: "Test connection" }).click();
  await expect(dialog(page).getByText("Connection failed", { exact: true })).toBeVisible();
  await checkAccessibility(page, "failed connection test");
  await dialog(page).getByLabel("Base URL").fill(product.provider.baseUrl);
  await dialog(page).getByRole("button", { name: "Test connection" }).click();
  await expect(dialog(page).getByText(/^Connected · /)).toBeVisible();
  await checkAccessibility(page, "successful connection test");

  const { providers } = await product.api.call<{ providers: { id: string }[] }>(
    "GET",
    "/api/v1/providers",
  );
  const id = providers[0]?.id;
  await openPath(page, `/models?provider=${id}`);
  await expect(dialog(page).getByText(/Stored, encrypted/)).toBeVisible();
  await checkAccessibility(page, "edit a provider");
  await openPath(page, `/models?provider=${id}&model=new`);
  await expect(dialog(page).getByRole("heading", { name: "Add a model" })).toBeVisible();
  await dialog(page).getByText("Capabilities").first().click();
  await dialog(page).getByText("Price per million tokens").first().click();
  await dialog(page).getByRole("button", { name: "Add model" }).click();
  await checkAccessibility(page, "model form with errors");
  await dialog(page).getByText("Settings").first().click();
  await dialog(page)
    .getByText("Settings")
    .first()
    .evaluate((heading) => heading.scrollIntoView());
  await checkAccessibility(page, "model settings");
});

atBothSizes("signing in", async ({ page, browserErrors }) => {
  browserErrors.allow(/status of 401/);
  await openPath(page, "/sign-in");
  await expect(page.getByLabel("API key")).toBeVisible();
  await checkAccessibility(page, "sign in");
  await page.getByLabel("API key").fill("not-the-key");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("Invalid API key")).toBeVisible();
  await page.getByText("Where do I find the API key?").click();
  await checkAccessibility(page, "invalid key");
  await signIn(page, product.url);
  await expireSession(page);
  await openPath(page, "/settings");
  await expect(page.getByRole("dialog", { name: "Sign in again" })).toBeVisible();
  await checkAccessibility(page, "sign in again");
});
