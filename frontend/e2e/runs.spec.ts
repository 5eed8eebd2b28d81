import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { gateReply } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

test("filters runs by state, text and time, and stores the filters in the URL", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const good = uniqueName("good");
  const bad = uniqueName("bad");
  const done = await api.startRun(await api.createWorkflow(twoTasks(model, good)));
  await api.waitForStatus(done, "completed");
  await provider.script([{ kind: "Fail", status: 401, message: "Wrong key" }]);
  const failed = await api.startRun(await api.createWorkflow(twoTasks(model, bad)));
  await api.waitForStatus(failed, "failed");
  const goodRow = page.getByRole("row", { name: new RegExp(good) });
  const badRow = page.getByRole("row", { name: new RegExp(bad) });

  await openPage(page, "/runs");
  await expect(goodRow).toContainText("Completed");
  await expect(badRow).toContainText("Failed");
  await expect(badRow).toContainText("Wrong key");

  await page.getByRole("button", { name: "Failed" }).click();
  await page.getByRole("searchbox", { name: "Search by workflow or run id" }).fill(bad);
  await expect(page).toHaveURL(/status=.*failed.*q=bad/);
  await expect(badRow).toBeVisible();
  await expect(goodRow).toHaveCount(0);
  await page.reload();
  await expect(badRow).toBeVisible();
  await expect(page.getByRole("button", { name: "Failed" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );

  await page.getByRole("searchbox").fill(good);
  await page.getByRole("combobox", { name: "Time" }).selectOption("Last 7 days");
  await expect(
    page.getByText(`No failed runs matching “${good}” in the last 7 days`),
  ).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).last().click();
  await expect(page).toHaveURL(/\/runs$/);
  await expect(badRow).toBeVisible();
  await expect(page.getByRole("searchbox")).toHaveValue("");
});

test("updates a running run and opens it from any cell of its row", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("followed");
  await provider.script([gateReply("go", "Done.")]);
  const workflow = await api.createWorkflow(twoTasks(model, name));
  await openPage(page, `/runs?q=${name}`);
  await expect(page.getByText(`No runs matching “${name}”`)).toBeVisible();

  const runId = await api.startRun(workflow);
  await page.reload();
  const row = page.getByRole("row", { name: new RegExp(name) });
  await expect(row).toContainText("Running");
  await provider.releaseGate("go");
  await expect(row).toContainText("Completed");

  // The link covers the whole row, so that a click on any cell opens the run.
  await row.getByRole("cell").last().click({ force: true });
  await expect(page).toHaveURL(new RegExp(`/runs/${runId}`));
});

test("stops the selected runs and shows the result of each", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("hanging");
  await provider.script([{ kind: "Hang" }]);
  const workflow = await api.createWorkflow(twoTasks(model, name));
  const runs = [await api.startRun(workflow), await api.startRun(workflow)];
  for (const run of runs) await api.waitForStatus(run, "running");
  await provider.waitForCalls(2);

  await openPage(page, `/runs?q=${name}`);
  await expect(page.getByRole("row", { name: /Running/ })).toHaveCount(2);
  await page.getByRole("checkbox", { name: "Select all runs shown" }).check();
  const selection = page.getByRole("region", { name: "Selected runs" });
  await expect(selection.getByRole("link", { name: "Compare" })).toBeVisible();
  await selection.getByRole("button", { name: "Stop 2…" }).click();
  await expect(page.getByRole("dialog", { name: "Stop 2 runs?" })).toBeVisible();

  await page.getByRole("radio", { name: "Now" }).check();
  await page.getByRole("button", { name: "Stop 2 runs" }).click();
  await expect(page.getByText("2 of 2 processed")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText("Stopped; 1 model call cancelled")).toHaveCount(2);
  await expectAccessibleInBothThemes(page);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("row", { name: /Stopped/ })).toHaveCount(2);
  await expect(selection.getByRole("button", { name: "No active runs" })).toBeDisabled();
});

test("navigates the run list by keyboard", async ({ signedIn: page, api, provider }) => {
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("keyboard");
  const workflow = await api.createWorkflow(twoTasks(model, name));
  const older = await api.startRun(workflow);
  const newer = await api.startRun(workflow);
  for (const run of [older, newer]) await api.waitForStatus(run, "completed");

  await openPage(page, `/runs?q=${name}`);
  await expect(page.getByRole("row", { name: new RegExp(name) })).toHaveCount(2);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("x");
  await expect(page.getByRole("checkbox", { name: new RegExp(newer) })).toBeChecked();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/runs/${older}`));
});

test("shows the runs as cards on a phone @phone", async ({ signedIn: page, api, provider }) => {
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("card");
  const run = await api.startRun(await api.createWorkflow(twoTasks(model, name)));
  await api.waitForStatus(run, "completed");

  await openPage(page, `/runs?q=${name}`);
  const link = page.getByRole("link", { name: new RegExp(name) });
  await expect(link).toBeVisible();
  await expect(page.getByRole("main").getByText("Completed").last()).toBeVisible();
  const overflow = await page
    .getByRole("main")
    .evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(overflow).toBe(0);
});
