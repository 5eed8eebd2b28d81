import type { Page } from "@playwright/test";

import { unique, type Api } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { hold, type Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

async function start(api: Api, provider: Provider): Promise<string> {
  const model = await api.model(provider.baseUrl);
  return api.run(await api.workflow(twoTasks(model, unique("Talk"))));
}

const box = (page: Page) => page.getByRole("textbox", { name: "Message to the run" });
const messages = (page: Page) => page.getByRole("group", { name: "Messages" });

test("a message to a run at work goes into the next model call @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([
    { contains: "Write a note", reply: hold("second", "Bees make honey.") },
    { reply: hold("first", "Bees fly."), times: 1 },
  ]);
  const runId = await start(api, provider);
  await provider.calls(1);
  await open(page, `/runs/${runId}?view=chat`);
  await expect(page.getByText("researcher is at work and reads the message")).toBeVisible();

  await box(page).fill("Mention honey.");
  await box(page).press("Enter");
  await expect(messages(page).getByText("Queued for whoever is at work")).toBeVisible();
  await expect(box(page)).toHaveValue("");

  await provider.release("first");
  await expect(messages(page).getByText("Delivered to writer in call 2")).toBeVisible();
  expect(JSON.stringify((await provider.requests())[1])).toContain("Mention honey.");
  await expectAccessibleInBothThemes(page);

  await provider.release("second");
  await expect(messages(page).getByText("Answered by writer")).toBeVisible();
  await expect(messages(page).getByText("Bees make honey.")).toBeVisible();
  await expect(messages(page).getByText("Mention honey.")).toHaveCount(1);
});

test("a message waits for the agent that it is for; what is begun is kept", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([{ reply: hold("first", "Bees fly."), times: 1 }]);
  const runId = await start(api, provider);
  await provider.calls(1);
  await open(page, `/runs/${runId}?view=chat`);

  await page.getByLabel("To", { exact: true }).selectOption("writer");
  await expect(page.getByText("writer is not at work now")).toBeVisible();
  await box(page).pressSequentially("One");
  await box(page).press("Shift+Enter");
  await box(page).pressSequentially("Two");
  await page.getByRole("tab", { name: "Output" }).click();
  await page.getByRole("tab", { name: "Chat" }).click();
  await expect(box(page)).toHaveValue("One\nTwo");

  await page.getByLabel("To", { exact: true }).selectOption("writer");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(messages(page).getByText("Queued for writer")).toBeVisible();
  await provider.release("first");
  await expect(messages(page).getByText("Answered by writer")).toBeVisible();
});

test("questions about the result are answered, and the answers are kept", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await start(api, provider);
  await api.until(runId, "completed");
  await open(page, `/runs/${runId}?view=chat`);
  await expect(page.getByText("Ask about the result")).toBeVisible();

  // The workspace's default model answers: where one is installed that is not the scripted one.
  await box(page).fill("Which insects?");
  await page.getByRole("button", { name: "Send" }).click();

  await expect(messages(page).getByText("Answered from the result")).toBeVisible({
    timeout: 30_000,
  });
  await expect(messages(page).getByText("by a model, from what the run brought")).toBeVisible();
  await expectAccessibleInBothThemes(page);

  await page.reload();
  await expect(messages(page).getByText("Which insects?", { exact: true })).toHaveCount(1);
  await expect(messages(page).getByText("Answered from the result")).toBeVisible();
});
