import { uniqueName, type Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import type { Provider } from "./provider";

/** Starts a run whose first task succeeds and whose second fails with this provider error. */
async function startFailingRun(api: Api, provider: Provider, status: number, message: string) {
  const model = await api.createModel(provider.baseUrl);
  await provider.script([
    { contains: "Find three", reply: "Three facts." },
    { reply: { kind: "Fail", status, message } },
  ]);
  const runId = await api.startRun(await api.createWorkflow(twoTasks(model, uniqueName("Failed"))));
  await api.waitForStatus(runId, "failed");
  return runId;
}

test("a failed run opens at the failed step with a suggested action @phone", async ({
  signedIn: page,
  api,
  provider,
  isMobile,
}) => {
  const runId = await startFailingRun(api, provider, 401, "Incorrect API key provided");

  await openPage(page, `/runs/${runId}`);
  const failed = page.getByRole("treeitem", { selected: true });
  await expect(failed).toHaveAccessibleName(/LLM call.*failed.*refused the API key/);
  if (isMobile) await page.getByRole("tab", { name: "Details" }).click();
  const details = page.getByRole("region", { name: "Details" });
  await expect(details.getByText("Check this provider's API key and save it again.")).toBeVisible();
  await expect(details.getByText("provider-auth")).toBeVisible();

  const action = details.getByRole("link", { name: /^Check provider-/ });
  await expect(action).toHaveAttribute("href", /\/models\?provider=/);

  if (!isMobile) {
    await page.keyboard.press("e");
    await expect(page).toHaveURL(/errors=/);
    await expect(page.getByRole("treeitem", { name: /research/ })).toHaveCount(0);
    await expect(page.getByRole("treeitem")).toHaveCount(3);
  }

  // Once the key is fixed, a new run succeeds.
  await provider.script(["A note."]);
  await page.getByRole("button", { name: "Run again", exact: true }).first().click();
  await expect(page).not.toHaveURL(new RegExp(runId));
  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
});

test("a run that failed at the provider is resumed from the failure card", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await startFailingRun(api, provider, 503, "Overloaded");
  await openPage(page, `/runs/${runId}`);

  await provider.script(["A note."]);
  const { count } = await provider.getState();
  await page.getByRole("button", { name: "Resume from the last finished task" }).first().click();

  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
  await expect(page).toHaveURL(new RegExp(runId));
  expect((await provider.getState()).count).toBe(count + 1);
});

test("a run is repeated from one of its steps", async ({ signedIn: page, api, provider }) => {
  const model = await api.createModel(provider.baseUrl);
  await provider.script(["Words."]);
  const workflowId = await api.createWorkflow(twoTasks(model, uniqueName("Rerun")));
  const runId = await api.startRun(workflowId);
  await api.waitForStatus(runId, "completed");
  await openPage(page, `/runs/${runId}`);

  await page.getByRole("button", { name: "More run options" }).click();
  await expect(page.getByRole("menuitem", { name: "Edit inputs…" })).toHaveAttribute(
    "href",
    `/workflows/${workflowId}/run?from=${runId}`,
  );
  await page.getByRole("menuitem", { name: "Re-run from a step…" }).click();
  const dialog = page.getByRole("dialog", { name: "Re-run from a step" });
  await dialog.getByRole("radio", { name: /draft/ }).check();
  await dialog.getByRole("button", { name: "Run from draft" }).click();

  await expect(page).not.toHaveURL(new RegExp(runId));
  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
  await expect(page.getByRole("treeitem", { name: /Task: research.*reused/ })).toBeVisible();

  await page.getByRole("button", { name: "Download" }).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /^Markdown/ }).click();
  expect((await saved).suggestedFilename()).toMatch(/^run_.*\.md$/);

  // `[` opens the previous run.
  await page.keyboard.press("[");
  await expect(page).toHaveURL(new RegExp(runId));
});

test("an unknown run id shows a not-found page", async ({ signedIn: page, browserErrors }) => {
  browserErrors.allow(/404/);
  await openPage(page, "/runs/run_00000000000000000000000000000000");
  await expect(page.getByRole("heading", { level: 1, name: "Run not found" })).toBeVisible();
});
