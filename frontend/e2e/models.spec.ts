import type { Page, Response } from "@playwright/test";

import { uniqueName, type Api } from "./api";
import { expect, openPage, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

const KEY = "sk-canary-5e1f0c7a9b3d4286";

async function fillProviderForm(page: Page, name: string, url: string, key: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /OpenAI-compatible/ }).click();
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Base URL").fill(url);
  if (key) await dialog.getByLabel("API key").fill(key);
}

/** Creates a provider with models through the API. */
async function createProvider(
  api: Api,
  baseUrl: string,
  models: string[] = [],
): Promise<{ id: string; name: string; models: string[] }> {
  const name = uniqueName("provider");
  const { provider } = await api.call<{ provider: { id: string } }>("POST", "/api/v1/providers", {
    provider: { name, type: "openai_compatible", apiKey: KEY, baseUrl },
  });
  const names = models.map((model) => uniqueName(model));
  for (const model of names) {
    await api.call("POST", "/api/v1/models", {
      model: { name: model, type: "llm", providerId: provider.id, providerModel: model },
    });
  }
  return { id: provider.id, name, models: names };
}

const card = (page: Page, name: string) =>
  page.getByRole("region", { name: new RegExp(`^${name}`) });

test("connects a provider, tests it, picks a model and makes it the default @phone", async ({
  signedIn: page,
  provider,
}) => {
  await provider.script([], {
    apiKey: KEY,
    models: ["alpha-large", "alpha-small", "text-embed-1"],
  });
  const name = uniqueName("acme");
  const model = uniqueName("alpha");
  await openPage(page, "/models");
  await page.getByRole("button", { name: "Connect a provider" }).first().click();
  await expect(page).toHaveURL(/provider=new/);
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: /Anthropic/ })).toBeVisible();

  await fillProviderForm(page, name, provider.baseUrl, KEY);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText("Connected · 3 models")).toBeVisible();
  await expect(dialog.getByText("Connected: 3 models.")).toBeVisible();

  await dialog.getByRole("button", { name: "Save provider" }).click();
  await expect(dialog.getByRole("heading", { name: "Add a model" })).toBeVisible();
  await dialog.getByRole("combobox", { name: /^Model/ }).fill("small");
  await expect(dialog.getByRole("listbox").getByRole("option")).toHaveText(["alpha-small"]);
  await expectAccessibleInBothThemes(page);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(dialog.getByLabel("Name")).toHaveValue("alpha-small");
  await dialog.getByLabel("Name").fill(model);
  await dialog.getByLabel("Default LLM").check();
  await dialog.getByText("Price per million tokens").click();
  await dialog.getByLabel("Input", { exact: true }).fill("2.50");
  await dialog.getByLabel("Output", { exact: true }).fill("10");
  await dialog.getByText("Capabilities").click();
  await dialog.getByLabel("Tools").selectOption("yes");
  await dialog.getByLabel("Context window (tokens)").fill("128000");
  await dialog.getByText("Settings", { exact: false }).first().click();
  await dialog.getByLabel("Temperature").fill("0.2");
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Add model" }).click();

  await expect(dialog).toBeHidden();
  const section = card(page, name);
  await expect(section.getByText(model, { exact: true })).toBeVisible();
  await expect(section.getByText("$2.50 in · $10.00 out")).toBeVisible();
  await expect(section.getByText("128K")).toBeVisible();
  await expect(section.getByText("ends in")).toBeAttached();
  await expect(section.getByText("Connected", { exact: true })).toBeVisible();
  // Close the tooltip of the button that has the focus again.
  await page.keyboard.press("Escape");
});

test("shows the failed step of a connection test and the provider's error message", async ({
  signedIn: page,
  provider,
}) => {
  await provider.script([], { apiKey: "sk-the-right-one-1" });
  await openPage(page, "/models?provider=new");
  await fillProviderForm(page, uniqueName("wrong"), provider.baseUrl, "sk-the-wrong-one-2");
  const dialog = page.getByRole("dialog");
  const testButton = dialog.getByRole("button", { name: "Test connection" });

  await testButton.click();
  const report = dialog.getByRole("alert");
  await expect(report.getByText("Invalid API key", { exact: true })).toBeVisible();
  await expect(report.getByText(/HTTP 401.*Incorrect API key provided/)).toBeVisible();
  await expect(report.getByRole("listitem").filter({ hasText: "Check API key" })).toContainText(
    "failed",
  );
  await expect(report.getByRole("listitem").filter({ hasText: "TLS handshake" })).toContainText(
    "not used",
  );

  await dialog.getByLabel("Base URL").fill("http://127.0.0.1:9/v1");
  await expect(report).toBeHidden();
  await testButton.click();
  await expect(report.getByText("Connection failed", { exact: true })).toBeVisible();
  await expect(report.getByText(/connection refused/)).toBeVisible();

  await dialog.getByLabel("Base URL").fill("https://no-such-host.invalid/v1");
  await testButton.click();
  await expect(report.getByText("Host not found")).toBeVisible();

  await dialog.getByLabel("Base URL").fill(provider.baseUrl);
  await dialog.getByLabel("API key").fill("sk-the-right-one-1");
  await testButton.click();
  await expect(dialog.getByText("Connected · 1 model")).toBeVisible();
});

test("does not reveal an API key after it is saved", async ({ signedIn: page, provider }) => {
  await provider.script([], { apiKey: KEY });
  const name = uniqueName("secret");
  const responseBodies: Promise<string>[] = [];
  page.on("response", (response: Response) => {
    if (response.url().includes("/api/")) responseBodies.push(response.text().catch(() => ""));
  });
  const requestUrls: string[] = [];
  page.on("request", (request) => requestUrls.push(request.url()));

  await openPage(page, "/models?provider=new");
  await fillProviderForm(page, name, provider.baseUrl, KEY);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText("Connected · 1 model")).toBeVisible();
  await dialog.getByRole("button", { name: "Save provider" }).click();
  await expect(dialog.getByRole("heading", { name: "Add a model" })).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await card(page, name)
    .getByRole("button", { name: `Edit ${name}` })
    .click();
  await expect(dialog.getByText(`…${KEY.slice(-4)}`)).toBeVisible();

  const pageState = await page.evaluate(() => ({
    html: document.documentElement.outerHTML,
    fields: [...document.querySelectorAll("input, textarea")].map(
      (field) => (field as HTMLInputElement).value,
    ),
    local: JSON.stringify(localStorage),
    session: JSON.stringify(sessionStorage),
    history: JSON.stringify(history.state),
    address: location.href,
  }));
  const exposedText = [
    ...Object.values(pageState).flat(),
    ...requestUrls,
    ...(await Promise.all(responseBodies)),
  ].join("\n");
  expect(exposedText).toContain(KEY.slice(-4));
  expect(exposedText).not.toContain(KEY);
  expect(exposedText).not.toContain(KEY.slice(3, -4));
});

test("edits a provider without entering its key again", async ({
  signedIn: page,
  provider,
  api,
  browserErrors,
}) => {
  browserErrors.allow(/422/);
  await provider.script([], { apiKey: KEY });
  const { id, name } = await createProvider(api, provider.baseUrl);
  await openPage(page, `/models?provider=${id}`);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText("Connected · 1 model")).toBeVisible();

  const renamed = uniqueName("renamed");
  await dialog.getByLabel("Name").fill(renamed);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, renamed)).toBeVisible();
  await expect(card(page, name)).toBeHidden();
  await card(page, renamed)
    .getByRole("button", { name: `Test ${renamed}` })
    .click();
  await expect(card(page, renamed).getByText("Connected", { exact: true })).toBeVisible();

  // A stored key is not sent to another base URL without being entered again.
  await card(page, renamed)
    .getByRole("button", { name: `Edit ${renamed}` })
    .click();
  await dialog.getByLabel("Base URL").fill("http://127.0.0.1:9/v1");
  await expect(dialog.getByRole("button", { name: "Test connection" })).toBeDisabled();
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog.getByText(/Enter the API key again/)).toBeVisible();
  await expectAccessibleInBothThemes(page);
});

test("reports that a provider was changed elsewhere and keeps unsaved edits", async ({
  signedIn: page,
  provider,
  api,
  browserErrors,
}) => {
  browserErrors.allow(/412/);
  const { id } = await createProvider(api, provider.baseUrl);
  await openPage(page, `/models?provider=${id}`);
  const dialog = page.getByRole("dialog");
  const editedName = uniqueName("mine");
  await dialog.getByLabel("Name").fill(editedName);
  await api.call("PATCH", `/api/v1/providers/${id}`, { provider: { models: ["theirs"] } });

  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog.getByText("Changed in another tab or by another user")).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Load latest version" }).click();
  await expect(dialog.getByText(/Changed elsewhere: suggested models/)).toBeVisible();
  await expect(dialog.getByLabel("Name")).toHaveValue(editedName);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog).toBeHidden();

  const saved = await api.call<{ name: string; models: string[] }>(
    "GET",
    `/api/v1/providers/${id}`,
  );
  expect(saved).toMatchObject({ name: editedName, models: ["theirs"] });
});

test("edits models, sets the default, deletes models and a provider in use @phone", async ({
  signedIn: page,
  provider,
  api,
  browserErrors,
}) => {
  test.slow();
  browserErrors.allow(/409/);
  const { name, models } = await createProvider(api, provider.baseUrl, ["one", "two", "three"]);
  const [one = "", two = "", three = ""] = models;
  await openPage(page, "/models");
  const section = card(page, name);

  await section.getByRole("button", { name: `Make ${two} the default` }).click();
  await expect(section.getByRole("button", { name: `Make ${two} the default` })).toBeHidden();
  await expect(section.getByText("Default LLM")).toBeVisible();

  await section.getByRole("button", { name: `Edit ${one}` }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Settings", { exact: false }).first().click();
  await dialog.getByLabel("Temperature").fill("7");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog.getByText("A number from 0 to 2.")).toBeVisible();
  await dialog.getByLabel("Temperature").fill("0.7");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog).toBeHidden();

  await section.getByRole("button", { name: `Delete ${three}` }).click();
  const confirmation = page.getByRole("alertdialog");
  await expectAccessibleInBothThemes(page);
  await confirmation.getByRole("button", { name: "Delete model" }).click();
  await expect(section.getByText(three, { exact: true })).toBeHidden();

  await section.getByRole("button", { name: `Delete ${name}` }).click();
  await confirmation.getByRole("button", { name: "Delete provider" }).click();
  await expect(confirmation.getByText("This provider is in use")).toBeVisible();
  await expect(confirmation.getByText(new RegExp(`Used by .*${one}`))).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await confirmation.getByRole("button", { name: "Delete with 2 models" }).click();
  await expect(section).toBeHidden();
});
