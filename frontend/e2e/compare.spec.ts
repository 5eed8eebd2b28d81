import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

test("compares two runs side by side @phone", async ({ signedIn: page, api, provider }) => {
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("compared");
  const workflow = await api.createWorkflow(twoTasks(model, name));
  await provider.script([{ kind: "Say", text: "Bees dance." }]);
  const a = await api.startRun(workflow, { topic: "bees" });
  await api.waitForStatus(a, "completed");
  await provider.script([{ kind: "Say", text: "Wasps hunt, and they do it well." }]);
  const b = await api.startRun(workflow, { topic: "wasps" });
  await api.waitForStatus(b, "completed");

  await openPage(page, "/runs/compare");
  const sideA = page.getByRole("region", { name: "Run A" });
  const sideB = page.getByRole("region", { name: "Run B" });
  await sideA.getByRole("searchbox").fill(a);
  // Clicking while the list changes could miss the row.
  await expect(sideA.getByRole("listitem")).toHaveCount(1);
  await sideA.getByRole("button", { name: new RegExp(a) }).click();
  await expectAccessibleInBothThemes(page);
  await sideB.getByRole("searchbox").fill(name);
  await expect(sideB.getByRole("listitem")).toHaveCount(1);
  await sideB.getByRole("button", { name: new RegExp(b) }).click();
  await expect(page).toHaveURL(new RegExp(`a=${a}&b=${b}`));

  const inputs = page.getByRole("listitem").filter({ hasText: "topic" });
  await expect(inputs).toContainText("Changed");
  await expect(inputs).toContainText("bees");
  await expect(inputs).toContainText("wasps");
  await expect(page.getByRole("listitem").filter({ hasText: "Task draft" })).toContainText(
    "Wasps hunt, and they do it well.",
  );
  await expect(page.getByText("Both runs use the same definition.")).toBeVisible();
  await expect(page.getByRole("row", { name: /^Output tokens/ })).toContainText("more");
  await expect(page.getByRole("row", { name: /^Model calls/ })).toContainText("no change");
  const overflow = await page
    .getByRole("main")
    .evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(overflow).toBe(0);

  await page.getByRole("button", { name: "Swap" }).click();
  await expect(page).toHaveURL(new RegExp(`a=${b}&b=${a}`));
  await expect(page.getByRole("row", { name: /^Output tokens/ })).toContainText("less");
});

test("shows which run was not found", async ({ signedIn: page, browserErrors }) => {
  browserErrors.allow(/404/);
  await openPage(page, "/runs/compare?a=run_gone&b=run_lost");

  await expect(page.getByText("Run not found").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Change run A" })).toBeVisible();
});
