import type { Page, Response } from "@playwright/test";

import { unique, type Api } from "./api";
import { expect, open, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

const KEY = "sk-canary-5e1f0c7a9b3d4286";

async function fillCompatible(page: Page, name: string, url: string, key: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /OpenAI-compatible/ }).click();
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Base URL").fill(url);
  if (key) await dialog.getByLabel("API key").fill(key);
}

/** A provider with its models, made as curl would. */
async function connected(
  api: Api,
  baseUrl: string,
  models: string[] = [],
): Promise<{ id: string; name: string; models: string[] }> {
  const name = unique("shop");
  const { provider } = await api.call<{ provider: { id: string } }>("POST", "/api/v1/providers", {
    provider: { name, type: "openai_compatible", apiKey: KEY, baseUrl },
  });
  const names = models.map((word) => unique(word));
  for (const one of names) {
    await api.call("POST", "/api/v1/models", {
      model: { name: one, type: "llm", providerId: provider.id, endpoint: one },
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
  const name = unique("acme");
  const model = unique("alpha");
  await open(page, "/models");
  await page.getByRole("button", { name: "Connect a provider" }).first().click();
  await expect(page).toHaveURL(/provider=new/);
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: /Anthropic/ })).toBeVisible();

  await fillCompatible(page, name, provider.baseUrl, KEY);
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
  // The focus is back on a button whose tooltip shows.
  await page.keyboard.press("Escape");
});

test("says where a connection test ended, in the provider's own words", async ({
  signedIn: page,
  provider,
}) => {
  await provider.script([], { apiKey: "sk-the-right-one" });
  await open(page, "/models?provider=new");
  await fillCompatible(page, unique("wrong"), provider.baseUrl, "sk-the-wrong-one");
  const dialog = page.getByRole("dialog");
  const run = dialog.getByRole("button", { name: "Test connection" });

  await run.click();
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
  await run.click();
  await expect(report.getByText("Connection failed", { exact: true })).toBeVisible();
  await expect(report.getByText(/connection refused/)).toBeVisible();

  await dialog.getByLabel("Base URL").fill("https://no-such-host.invalid/v1");
  await run.click();
  await expect(report.getByText("Host not found")).toBeVisible();

  await dialog.getByLabel("Base URL").fill(provider.baseUrl);
  await dialog.getByLabel("API key").fill("sk-the-right-one");
  await run.click();
  await expect(dialog.getByText("Connected · 1 model")).toBeVisible();
});

test("keeps the key to itself once it is saved", async ({ signedIn: page, provider }) => {
  await provider.script([], { apiKey: KEY });
  const name = unique("secret");
  const answers: Promise<string>[] = [];
  page.on("response", (response: Response) => {
    if (response.url().includes("/api/")) answers.push(response.text().catch(() => ""));
  });
  const addresses: string[] = [];
  page.on("request", (request) => addresses.push(request.url()));

  await open(page, "/models?provider=new");
  await fillCompatible(page, name, provider.baseUrl, KEY);
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

  const seen = await page.evaluate(() => ({
    html: document.documentElement.outerHTML,
    fields: [...document.querySelectorAll("input, textarea")].map(
      (one) => (one as HTMLInputElement).value,
    ),
    local: JSON.stringify(localStorage),
    session: JSON.stringify(sessionStorage),
    history: JSON.stringify(history.state),
    address: location.href,
  }));
  const everything = [
    ...Object.values(seen).flat(),
    ...addresses,
    ...(await Promise.all(answers)),
  ].join("\n");
  expect(everything).toContain(KEY.slice(-4));
  expect(everything).not.toContain(KEY);
  expect(everything).not.toContain(KEY.slice(3, -4));
});

test("changes a provider without asking for its key again", async ({
  signedIn: page,
  provider,
  api,
  complaints,
}) => {
  complaints.allow(/422/);
  await provider.script([], { apiKey: KEY });
  const { id, name } = await connected(api, provider.baseUrl);
  await open(page, `/models?provider=${id}`);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText("Connected · 1 model")).toBeVisible();

  const renamed = unique("renamed");
  await dialog.getByLabel("Name").fill(renamed);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(card(page, renamed)).toBeVisible();
  await expect(card(page, name)).toBeHidden();
  await card(page, renamed)
    .getByRole("button", { name: `Test ${renamed}` })
    .click();
  await expect(card(page, renamed).getByText("Connected", { exact: true })).toBeVisible();

  // A stored key moves to no other address by itself.
  await card(page, renamed)
    .getByRole("button", { name: `Edit ${renamed}` })
    .click();
  await dialog.getByLabel("Base URL").fill("http://127.0.0.1:9/v1");
  await expect(dialog.getByRole("button", { name: "Test connection" })).toBeDisabled();
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog.getByText(/Enter the API key again/)).toBeVisible();
  await expectAccessibleInBothThemes(page);
});

test("tells when a provider was changed elsewhere, and keeps what was typed", async ({
  signedIn: page,
  provider,
  api,
  complaints,
}) => {
  complaints.allow(/412/);
  const { id } = await connected(api, provider.baseUrl);
  await open(page, `/models?provider=${id}`);
  const dialog = page.getByRole("dialog");
  const mine = unique("mine");
  await dialog.getByLabel("Name").fill(mine);
  await api.call("PATCH", `/api/v1/providers/${id}`, { provider: { models: ["theirs"] } });

  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog.getByText("Changed in another tab or by another user")).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Load latest version" }).click();
  await expect(dialog.getByText(/Changed elsewhere: suggested models/)).toBeVisible();
  await expect(dialog.getByLabel("Name")).toHaveValue(mine);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog).toBeHidden();

  const saved = await api.call<{ name: string; models: string[] }>(
    "GET",
    `/api/v1/providers/${id}`,
  );
  expect(saved).toMatchObject({ name: mine, models: ["theirs"] });
});

test("edits, sets as default and deletes models; a provider in use only with them @phone", async ({
  signedIn: page,
  provider,
  api,
  complaints,
}) => {
  complaints.allow(/409/);
  const { name, models } = await connected(api, provider.baseUrl, ["one", "two", "three"]);
  const [one = "", two = "", three = ""] = models;
  await open(page, "/models");
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
  const question = page.getByRole("alertdialog");
  await expectAccessibleInBothThemes(page);
  await question.getByRole("button", { name: "Delete model" }).click();
  await expect(section.getByText(three, { exact: true })).toBeHidden();

  await section.getByRole("button", { name: `Delete ${name}` }).click();
  await question.getByRole("button", { name: "Delete provider" }).click();
  await expect(question.getByText("This provider is in use")).toBeVisible();
  await expect(question.getByText(new RegExp(`Used by .*${one}`))).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await question.getByRole("button", { name: "Delete with 2 models" }).click();
  await expect(section).toBeHidden();
});
