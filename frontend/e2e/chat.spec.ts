import type { Page } from "@playwright/test";

import { uniqueName, type Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { gateReply, type Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

async function startRun(api: Api, provider: Provider): Promise<string> {
  const model = await api.createModel(provider.baseUrl);
  return api.startRun(await api.createWorkflow(twoTasks(model, uniqueName("Chat"))));
}

const textbox = (page: Page) => page.getByRole("textbox", { name: "Message to the run" });
const messages = (page: Page) => page.getByRole("group", { name: "Messages" });

test("a message to a running agent is added to its next model call @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([
    { contains: "Write a note", reply: gateReply("second", "Bees make honey.") },
    { reply: gateReply("first", "Bees fly."), times: 1 },
  ]);
  const runId = await startRun(api, provider);
  await provider.waitForCalls(1);
  await openPage(page, `/runs/${runId}?view=chat`);
  await expect(page.getByText("researcher is running and reads the message")).toBeVisible();

  await textbox(page).fill("Mention honey.");
  await textbox(page).press("Enter");
  await expect(messages(page).getByText("Queued for any agent")).toBeVisible();
  await expect(textbox(page)).toHaveValue("");

  await provider.releaseGate("first");
  await expect(messages(page).getByText("Delivered to writer in call 2")).toBeVisible();
  expect(JSON.stringify((await provider.getRequests())[1])).toContain("Mention honey.");
  await expectAccessibleInBothThemes(page);

  await provider.releaseGate("second");
  await expect(messages(page).getByText("Answered by writer")).toBeVisible();
  await expect(messages(page).getByText("Bees make honey.")).toBeVisible();
  await expect(messages(page).getByText("Mention honey.")).toHaveCount(1);
});

test("a message is queued for its agent, and unsent text is kept", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([{ reply: gateReply("first", "Bees fly."), times: 1 }]);
  const runId = await startRun(api, provider);
  await provider.waitForCalls(1);
  await openPage(page, `/runs/${runId}?view=chat`);

  await page.getByLabel("To", { exact: true }).selectOption("writer");
  await expect(page.getByText("writer is not running")).toBeVisible();
  await textbox(page).pressSequentially("One");
  await textbox(page).press("Shift+Enter");
  await textbox(page).pressSequentially("Two");
  await page.getByRole("tab", { name: "Output" }).click();
  await page.getByRole("tab", { name: "Chat" }).click();
  await expect(textbox(page)).toHaveValue("One\nTwo");

  await page.getByLabel("To", { exact: true }).selectOption("writer");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(messages(page).getByText("Queued for writer")).toBeVisible();
  await provider.releaseGate("first");
  await expect(messages(page).getByText("Answered by writer")).toBeVisible();
});

test("questions about the result are answered and the answers are stored", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await startRun(api, provider);
  await api.waitForStatus(runId, "completed");
  await openPage(page, `/runs/${runId}?view=chat`);
  await expect(page.getByText("Ask about the result")).toBeVisible();

  // The workspace's default model answers, which may not be the scripted one.
  await textbox(page).fill("Which insects?");
  await page.getByRole("button", { name: "Send" }).click();

  await expect(messages(page).getByText("Answered from the result")).toBeVisible({
    timeout: 30_000,
  });
  await expect(messages(page).getByText("generated from the run's result")).toBeVisible();
  await expectAccessibleInBothThemes(page);

  await page.reload();
  await expect(messages(page).getByText("Which insects?", { exact: true })).toHaveCount(1);
  await expect(messages(page).getByText("Answered from the result")).toBeVisible();
});
