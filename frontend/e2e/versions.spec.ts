import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";

test("compares, shows and restores versions @phone", async ({ signedIn: page, api }) => {
  test.slow();
  const name = uniqueName("versions");
  const first = twoTasks("m", name);
  const id = await api.createWorkflow(first);
  const save = (yaml: string, note: string) =>
    api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml, note } });
  const second = first.replace("goal: Write well", "goal: Write clearly");
  await save(second, "A clearer writer");
  await save(`# a remark\n${second}`, "A remark");

  await openPage(page, `/workflows/${id}?tab=versions`);
  const versions = page.getByRole("navigation", { name: "Versions" });
  await expect(versions.getByRole("button")).toHaveCount(3);
  await expect(page.getByText("Only comments or formatting changed.")).toBeVisible();

  await versions.getByRole("button", { name: /Version 2/ }).click();
  await expect(page).toHaveURL(/to=2/);
  await expect(page.getByText("Agent writer: goal changed")).toBeVisible();
  const table = page.getByRole("table", {
    name: "From version 1 to version 2: 1 line added, 1 line removed",
  });
  await expect(table.getByRole("cell", { name: /Removed: .*goal: Write well/ })).toBeVisible();
  await expect(table.getByRole("cell", { name: /Added: .*goal: Write clearly/ })).toBeVisible();
  const isWide = (page.viewportSize()?.width ?? 0) >= 1024;
  await expect(table.getByRole("columnheader")).toHaveCount(isWide ? 2 : 3);

  await versions.getByRole("button", { name: /Version 3/ }).click();
  await page.getByLabel("Compared with").selectOption("1");
  await expect(page).toHaveURL(/from=1/);
  await expect(
    page.getByRole("table", { name: /From version 1 to version 3: 2 lines/ }),
  ).toBeVisible();

  await versions.getByRole("button", { name: /Version 1/ }).click();
  await expect(page.getByRole("region", { name: "Document of version 1" })).toContainText(
    "goal: Write well",
  );
  await page.getByRole("button", { name: "Restore…" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Restore version 1?" });
  await dialog.getByRole("button", { name: "Restore version 1" }).click();

  await expect(versions.getByRole("button")).toHaveCount(4);
  await expect(page.getByText("Version 1 restored as version 4")).toBeVisible();
  await expect(page.getByRole("button", { name: "Open in the editor" })).toBeVisible();
  const workflow = await api.call<{ yaml: string; version: number }>(
    "GET",
    `/api/v1/workflows/${id}`,
  );
  expect(workflow).toMatchObject({ yaml: first, version: 4 });

  await versions.getByRole("button", { name: /Version 2/ }).click();
  await page.getByRole("link", { name: "Run this version" }).click();
  await expect(page).toHaveURL(/\/run\?version=2/);
});

test("a restore fails when a newer version was saved, and can be retried", async ({
  signedIn: page,
  api,
  browserErrors,
}) => {
  browserErrors.allow(/status of 412/);
  const first = twoTasks("m", uniqueName("conflict"));
  const id = await api.createWorkflow(first);
  const save = (yaml: string) => api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml } });
  await save(`${first}# two\n`);
  await openPage(page, `/workflows/${id}?tab=versions&to=1`);
  await page.getByRole("button", { name: "Restore…" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Restore version 1?" });
  await expect(dialog).toBeVisible();
  await save(`${first}# three\n`);

  await dialog.getByRole("button", { name: "Restore version 1" }).click();

  await expect(dialog.getByText("Changed by someone else")).toBeVisible();
  await expect(dialog.getByText("saved as version 4")).toBeVisible();
  await dialog.getByRole("button", { name: "Restore version 1" }).click();
  await expect(page.getByText("Version 1 restored as version 4")).toBeVisible();
});

test("lists the runs of a workflow and has an empty state @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.slow();
  const id = await api.createWorkflow(
    twoTasks(await api.createModel(provider.baseUrl), uniqueName("runs")),
  );
  await openPage(page, `/workflows/${id}?tab=runs`);
  await expect(page.getByText("No runs yet")).toBeVisible();

  const run = await api.startRun(id);
  await api.waitForStatus(run, "completed");
  await page.reload();
  const row = page.getByRole("list", { name: /^Runs of/ }).getByRole("listitem");
  await expect(row).toHaveCount(1);
  await expect(row.getByText("Completed", { exact: true })).toBeVisible();
  await row.getByRole("link").click();
  await expect(page).toHaveURL(new RegExp(`/runs/${run}`));
});
