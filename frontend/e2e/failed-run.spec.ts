import { unique, type Api } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import type { Provider } from "./provider";

/** A run whose first task went well, and whose provider answered its second with this. */
async function failedInDraft(api: Api, provider: Provider, status: number, message: string) {
  const model = await api.model(provider.baseUrl);
  await provider.script([
    { contains: "Find three", reply: "Three facts." },
    { reply: { kind: "Fail", status, message } },
  ]);
  const runId = await api.run(await api.workflow(twoTasks(model, unique("Failed"))));
  await api.until(runId, "failed");
  return runId;
}

test("a failed run opens at the step that failed, with what to do about it @phone", async ({
  signedIn: page,
  api,
  provider,
  isMobile,
}) => {
  const runId = await failedInDraft(api, provider, 401, "Incorrect API key provided");

  await open(page, `/runs/${runId}`);
  const failed = page.getByRole("treeitem", { selected: true });
  await expect(failed).toHaveAccessibleName(/LLM call.*failed.*refused the API key/);
  if (isMobile) await page.getByRole("tab", { name: "Details" }).click();
  const details = page.getByRole("region", { name: "Details" });
  await expect(details.getByText("Check this provider's API key and save it again.")).toBeVisible();
  await expect(details.getByText("provider-auth")).toBeVisible();

  const remedy = details.getByRole("link", { name: /^Check provider-/ });
  await expect(remedy).toHaveAttribute("href", /\/models\?provider=/);

  if (!isMobile) {
    await page.keyboard.press("e");
    await expect(page).toHaveURL(/errors=/);
    await expect(page.getByRole("treeitem", { name: /research/ })).toHaveCount(0);
    await expect(page.getByRole("treeitem")).toHaveCount(3);
  }

  // The key is mended; the run is done once more, as a new one.
  await provider.script(["A note."]);
  await page.getByRole("button", { name: "Run again", exact: true }).first().click();
  await expect(page).not.toHaveURL(new RegExp(runId));
  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
});

test("a run that its provider failed goes on where it stood, from the card of the failure", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await failedInDraft(api, provider, 503, "Overloaded");
  await open(page, `/runs/${runId}`);

  await provider.script(["A note."]);
  const { count } = await provider.state();
  await page.getByRole("button", { name: "Resume from the last finished task" }).first().click();

  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();
  await expect(page).toHaveURL(new RegExp(runId));
  expect((await provider.state()).count).toBe(count + 1);
});

test("a run is done again from one of its steps", async ({ signedIn: page, api, provider }) => {
  const model = await api.model(provider.baseUrl);
  await provider.script(["Words."]);
  const workflowId = await api.workflow(twoTasks(model, unique("Again")));
  const runId = await api.run(workflowId);
  await api.until(runId, "completed");
  await open(page, `/runs/${runId}`);

  await page.getByRole("button", { name: "More ways to run again" }).click();
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

  // Back to the run before by its key.
  await page.keyboard.press("[");
  await expect(page).toHaveURL(new RegExp(runId));
});

test("a run that is not there says so", async ({ signedIn: page, complaints }) => {
  complaints.allow(/404/);
  await open(page, "/runs/run_00000000000000000000000000000000");
  await expect(page.getByRole("heading", { level: 1, name: "Run not found" })).toBeVisible();
});
