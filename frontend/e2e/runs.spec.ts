import { unique } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { hold } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

test("finds runs by state, text and time, and keeps the filters in the address", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.model(provider.baseUrl);
  const good = unique("good");
  const bad = unique("bad");
  const done = await api.run(await api.workflow(twoTasks(model, good)));
  await api.until(done, "completed");
  await provider.script([{ kind: "Fail", status: 401, message: "Wrong key" }]);
  const failed = await api.run(await api.workflow(twoTasks(model, bad)));
  await api.until(failed, "failed");
  const goodRow = page.getByRole("row", { name: new RegExp(good) });
  const badRow = page.getByRole("row", { name: new RegExp(bad) });

  await open(page, "/runs");
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

test("follows a run while it works, and opens it from anywhere in its row", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.model(provider.baseUrl);
  const name = unique("followed");
  await provider.script([hold("go", "Done.")]);
  const workflow = await api.workflow(twoTasks(model, name));
  await open(page, `/runs?q=${name}`);
  await expect(page.getByText(`No runs matching “${name}”`)).toBeVisible();

  const runId = await api.run(workflow);
  await page.reload();
  const row = page.getByRole("row", { name: new RegExp(name) });
  await expect(row).toContainText("Running");
  await provider.release("go");
  await expect(row).toContainText("Completed");

  // The link covers the row: whatever lies under the pointer, it is the link that is clicked.
  await row.getByRole("cell").last().click({ force: true });
  await expect(page).toHaveURL(new RegExp(`/runs/${runId}`));
});

test("stops the chosen runs, and says what became of each", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.model(provider.baseUrl);
  const name = unique("endless");
  await provider.script([{ kind: "Hang" }]);
  const workflow = await api.workflow(twoTasks(model, name));
  const runs = [await api.run(workflow), await api.run(workflow)];
  for (const run of runs) await api.until(run, "running");
  await provider.calls(2);

  await open(page, `/runs?q=${name}`);
  await expect(page.getByRole("row", { name: /Running/ })).toHaveCount(2);
  await page.getByRole("checkbox", { name: "Select all runs shown" }).check();
  const chosen = page.getByRole("region", { name: "Selected runs" });
  await expect(chosen.getByRole("link", { name: "Compare" })).toBeVisible();
  await chosen.getByRole("button", { name: "Stop 2…" }).click();
  await expect(page.getByRole("dialog", { name: "Stop 2 runs?" })).toBeVisible();

  await page.getByRole("radio", { name: "Now" }).check();
  await page.getByRole("button", { name: "Stop 2 runs" }).click();
  await expect(page.getByText("2 of 2 processed")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText("Stopped; 1 model call cancelled")).toHaveCount(2);
  await expectAccessibleInBothThemes(page);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("row", { name: /Stopped/ })).toHaveCount(2);
  await expect(chosen.getByRole("button", { name: "No active runs" })).toBeDisabled();
});

test("walks through the runs by keyboard", async ({ signedIn: page, api, provider }) => {
  const model = await api.model(provider.baseUrl);
  const name = unique("walked");
  const workflow = await api.workflow(twoTasks(model, name));
  const older = await api.run(workflow);
  const newer = await api.run(workflow);
  for (const run of [older, newer]) await api.until(run, "completed");

  await open(page, `/runs?q=${name}`);
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
  const model = await api.model(provider.baseUrl);
  const name = unique("carried");
  const run = await api.run(await api.workflow(twoTasks(model, name)));
  await api.until(run, "completed");

  await open(page, `/runs?q=${name}`);
  const link = page.getByRole("link", { name: new RegExp(name) });
  await expect(link).toBeVisible();
  await expect(page.getByRole("main").getByText("Completed").last()).toBeVisible();
  const sideways = await page
    .getByRole("main")
    .evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(sideways).toBe(0);
});
