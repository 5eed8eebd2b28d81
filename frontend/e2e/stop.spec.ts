import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { gateReply } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

test("stopping now cancels the model call at the provider and shows a receipt @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const chunks = Array.from({ length: 2_000 }, (_, index) => `word${index} `);
  await provider.script([
    { contains: "Find three", reply: "Three facts." },
    { reply: { kind: "Say", chunks, chunk_delay: 0.05 }, times: 1 },
    "A note.",
  ]);
  const runId = await api.startRun(
    await api.createWorkflow(twoTasks(model, uniqueName("Stopped"))),
  );
  await openPage(page, `/runs/${runId}`);
  await expect(page.getByRole("treeitem", { name: /LLM call.*running.*word\d/ })).toBeVisible();

  await page.getByRole("button", { name: "Stop options" }).click();
  await page.getByRole("menuitem", { name: "Stop now" }).click();

  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
  if (await page.getByRole("tab", { name: "Details" }).isVisible()) {
    await page.getByRole("tab", { name: "Details" }).click();
  }
  const receipt = page.getByRole("region", { name: "Stop receipt" });
  await expect(receipt).toContainText("Model calls cancelled1");
  await expect(receipt).toContainText("Model calls started after the stop0");
  await expect.poll(async () => (await provider.getState()).disconnects).toBe(1);
  expect((await provider.getState()).inFlight).toBe(0);
  await expectAccessibleInBothThemes(page);

  // Resuming continues the same run with its second task.
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByRole("heading", { name: "Result" })).toBeVisible();
  await api.waitForStatus(runId, "completed");
  expect((await provider.getState()).count).toBe(3);
});

test("stopping after the step waits for the model call to finish", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const facts = { kind: "Say", text: "Three facts." };
  await provider.script([{ reply: gateReply("call", facts) }]);
  const runId = await api.startRun(
    await api.createWorkflow(twoTasks(model, uniqueName("After step"))),
  );
  await provider.waitForCalls(1);
  await openPage(page, `/runs/${runId}`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop", exact: true })).toBeVisible();

  await page.keyboard.press(".");
  const dialog = page.getByRole("dialog", { name: "Stop this run?" });
  await expect(dialog).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "After the current step" }).click();

  await expect(page.getByRole("button", { name: "Stopping…" })).toBeDisabled();
  await provider.releaseGate("call");
  await expect(page.getByRole("region", { name: "Stop receipt" })).toContainText(
    "Model calls cancelled0",
  );
  expect((await provider.getState()).disconnects).toBe(0);
});
