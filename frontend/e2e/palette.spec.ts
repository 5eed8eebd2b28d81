import type { Page } from "@playwright/test";

import { unique } from "./api";
import { expect, open, test } from "./fixtures";

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
const palette = (page: Page) => page.getByRole("dialog", { name: "Search or jump to" });
const input = (page: Page) => palette(page).getByRole("combobox");

const document = (name: string) => `name: ${name}
agents:
  writer:
    role: Writer
    goal: Write
    backstory: Brief.
tasks:
  write:
    description: Write.
    expected_output: A text
    agent: writer
`;

async function type(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await input(page).fill(text);
}

test("the exact name of a page comes first, whatever the workflows are called", async ({
  signedIn: page,
  api,
}) => {
  const name = unique("Runs runs");
  await api.workflow(document(name));
  await open(page, "/settings");

  await type(page, "runs");
  await expect(page.getByRole("option", { name, exact: true })).toBeVisible();
  await expect(page.getByRole("option").first()).toHaveText(/^Runs/);
  await page.keyboard.press("Enter");

  await expect(heading(page, "Runs")).toBeVisible();
  await expect(page.locator("#main")).toBeFocused();
});

test("finds a workflow by its name, to open it or to run it", async ({ signedIn: page, api }) => {
  const name = unique("Honey");
  const id = await api.workflow(document(name));
  await open(page, "/settings");

  await type(page, name);
  await page.getByRole("option", { name, exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/workflows/${id}$`));

  await type(page, `run ${name}`);
  await page.getByRole("option", { name: `Run ${name}`, exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/workflows/${id}/run`));
});

test("searches the runs for what is called otherwise", async ({ signedIn: page }) => {
  await open(page, "/settings");

  await type(page, "zebra crossing");
  await page.getByRole("option", { name: "Search runs for “zebra crossing”" }).click();

  await expect(heading(page, "Runs")).toBeVisible();
  await expect(page).toHaveURL(/q=zebra/);
});

test("opens from the top bar, and gives the focus back @phone", async ({ signedIn: page }) => {
  await open(page, "/settings");
  const button = page.getByRole("button", { name: "Search or jump to…" });

  await button.click();
  await expect(input(page)).toBeFocused();
  await expect(page.getByRole("option").first()).toBeVisible();
  await page.keyboard.press("Escape");

  await expect(palette(page)).toHaveCount(0);
  await expect(button).toBeFocused();
});

test("acts: theme, sheet of shortcuts, sign out", async ({ signedIn: page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "/settings");

  await type(page, "dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveClass("dark");

  await type(page, "shortcuts");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");

  await type(page, "sign out");
  await page.keyboard.press("Enter");
  await expect(heading(page, "Sign in to CrewAI Runner")).toBeVisible();
});

test("keys lead to the pages, and the sheet tells which @phone", async ({ signedIn: page }) => {
  await open(page, "/settings");
  const pages = {
    d: "Dashboard",
    w: "Workflows",
    r: "Runs",
    m: "Providers & models",
    s: "Settings",
  };
  for (const [letter, name] of Object.entries(pages)) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await expect(heading(page, name)).toBeVisible();
  }

  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(sheet.getByText("New workflow")).toBeVisible();
  // Behind a dialog the keys sleep.
  await page.keyboard.press("c");
  await expect(page.locator("h1")).toHaveText("Settings");
  await page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);

  await page.keyboard.press("c");
  await expect(page).toHaveURL(/\/workflows\/new/);
});

test("keys are off while one types, and when they are turned off", async ({ signedIn: page }) => {
  await open(page, "/settings");
  await type(page, "");
  await page.keyboard.type("gr?c");
  await expect(input(page)).toHaveValue("gr?c");
  await page.keyboard.press("Escape");
  await expect(palette(page)).toHaveCount(0);

  await page.getByRole("switch", { name: "Single-key shortcuts" }).click();
  await page.keyboard.press("?");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.keyboard.press("Control+k");

  await expect(palette(page)).toBeVisible();
  await expect(page).toHaveURL(/\/settings$/);
});
