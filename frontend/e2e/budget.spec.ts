import type { Page } from "@playwright/test";

import { uniqueName, type Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import type { Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

const banner = (page: Page) => page.getByRole("region", { name: "Needs attention" });

/** Starts a run that needs two model calls but is limited to one, and waits until it is paused. */
async function startLimitedRun(api: Api, provider: Provider): Promise<string> {
  const model = await api.createModel(provider.baseUrl);
  const yaml = `${twoTasks(model, uniqueName("Limited"))}budget:\n  max_llm_calls: 1\n`;
  const runId = await api.startRun(await api.createWorkflow(yaml));
  await api.waitForStatus(runId, "waiting");
  return runId;
}

test("an exceeded budget is raised and the run continues @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await startLimitedRun(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);

  await expect(banner(page)).toContainText("Budget exceeded: 1 of 1");
  const limit = banner(page).getByLabel("New limit: Model calls");
  await expect(limit).toHaveValue("2");
  await limit.fill("1");
  await banner(page).getByRole("button", { name: "Raise limit and resume" }).click();
  await expect(banner(page).getByText("Enter a value greater than 1.")).toBeVisible();

  await limit.fill("10");
  await banner(page).getByRole("button", { name: "Raise limit and resume" }).click();

  await api.waitForStatus(runId, "completed");
  await expect(banner(page)).toHaveCount(0);
  await expect(page.getByRole("tabpanel").getByText("Answer 2").first()).toBeVisible();
});

test("a run with an exceeded budget is stopped", async ({ signedIn: page, api, provider }) => {
  const runId = await startLimitedRun(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);

  await banner(page).getByRole("button", { name: "Stop run" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Stop this run?" });
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Stop run" }).click();

  await api.waitForStatus(runId, "stopped");
  await expect(banner(page)).toHaveCount(0);
  await expect(page.getByRole("tabpanel")).toContainText("The run was stopped");
  expect((await provider.getState()).count).toBe(1);
});
