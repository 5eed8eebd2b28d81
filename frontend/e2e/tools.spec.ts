import type { Page } from "@playwright/test";

import { twoTasks } from "./documents.mjs";
import { uniqueName } from "./api";
import { expect, openPage, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

const KEY = "serper-canary-5e1f0c7a9b3d4286";

const dialog = (page: Page) => page.getByRole("dialog");

test("adds web search to an agent in at most five clicks after the key @phone", async ({
  api,
  signedIn: page,
}) => {
  for (const { id } of (
    await api.call<{ connections: { id: string }[] }>("GET", "/api/v1/connections")
  ).connections) {
    await api.call("DELETE", `/api/v1/connections/${id}`);
  }
  const id = await api.createWorkflow(twoTasks("no-such-model", uniqueName("search")));
  await openPage(page, `/workflows/${id}?view=form&node=agent:researcher`);
  const picker = page.getByRole("list", { name: "Tools" });
  const item = picker.getByRole("listitem").filter({ hasText: "web_search" });
  await expect(item.getByText(/needs a connection to a search service/)).toBeVisible();
  await expectAccessibleInBothThemes(page);

  await item.getByRole("button", { name: "Add a connection" }).click();
  await dialog(page)
    .getByRole("button", { name: /^Serper/ })
    .click();
  await dialog(page).getByLabel("API key").fill(KEY);
  await expectAccessibleInBothThemes(page);
  let clicks = 0;
  const click = async (locator: ReturnType<Page["getByRole"]>) => {
    await locator.click();
    clicks += 1;
  };
  await click(dialog(page).getByRole("button", { name: "Save" }));
  await expect(dialog(page)).toBeHidden();
  await expect(item.getByText(/needs a connection/)).toBeHidden();
  await click(item.getByRole("checkbox"));
  await click(page.getByRole("button", { name: "Save", exact: true }));

  await expect
    .poll(async () => (await api.call<{ yaml: string }>("GET", `/api/v1/workflows/${id}`)).yaml)
    .toContain("tools: [web_search]");
  expect(clicks).toBeLessThanOrEqual(5);
});

test("tests, edits and deletes a connection, and never shows its key", async ({
  browserErrors,
  provider,
  signedIn: page,
}) => {
  browserErrors.allow(/status of 422/); // The refused change below.
  const name = uniqueName("host");
  await openPage(page, "/tools?add=http");
  await dialog(page).getByLabel("Address").fill(provider.baseUrl);
  await dialog(page).getByLabel("Token").fill(KEY);
  await dialog(page).getByLabel("Name").fill(name);
  await dialog(page).getByRole("button", { name: "Test" }).click();
  await expect(dialog(page).getByText("Connected", { exact: true })).toBeVisible();
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await expect(dialog(page)).toBeHidden();

  await page.getByRole("button", { name: `Test ${name}` }).click();
  await expect(page.getByText(/the address answers with HTTP/)).toBeVisible();
  await page.getByRole("button", { name: `Edit ${name}` }).click();
  await dialog(page).getByLabel("Address").fill("http://127.0.0.1:9");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await expect(
    dialog(page).getByText(/a stored secret is never sent to a new address/),
  ).toBeVisible();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  expect(await page.content()).not.toContain(KEY);
  await expectAccessibleInBothThemes(page);

  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await page.getByRole("button", { name: "Delete connection" }).click();
  await expect(page.getByRole("button", { name: `Test ${name}` })).toBeHidden();
});

test("tries a tool", async ({ signedIn: page }) => {
  await openPage(page, "/tools");
  await page.getByRole("searchbox", { name: "Search tools" }).fill("calc");
  await page.getByRole("button", { name: "Try Calculator" }).click();
  await dialog(page)
    .getByLabel(/^expression/)
    .fill("6 * 7");
  await dialog(page).getByRole("button", { name: "Call the tool" }).click();
  await expect(dialog(page).getByText("42", { exact: true })).toBeVisible();
  await expectAccessibleInBothThemes(page);

  await dialog(page)
    .getByLabel(/^expression/)
    .fill("import os");
  await dialog(page).getByRole("button", { name: "Call the tool" }).click();
  await expect(dialog(page).getByText("Failed")).toBeVisible();
});
