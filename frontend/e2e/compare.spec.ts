import { unique } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

test("puts two runs side by side @phone", async ({ signedIn: page, api, provider }) => {
  const model = await api.model(provider.baseUrl);
  const name = unique("compared");
  const workflow = await api.workflow(twoTasks(model, name));
  await provider.script([{ kind: "Say", text: "Bees dance." }]);
  const a = await api.run(workflow, { topic: "bees" });
  await api.until(a, "completed");
  await provider.script([{ kind: "Say", text: "Wasps hunt, and they do it well." }]);
  const b = await api.run(workflow, { topic: "wasps" });
  await api.until(b, "completed");

  await open(page, "/runs/compare");
  const sideA = page.getByRole("region", { name: "Run A" });
  const sideB = page.getByRole("region", { name: "Run B" });
  await sideA.getByRole("searchbox").fill(a);
  await sideA.getByRole("button", { name: new RegExp(a) }).click();
  await expectAccessibleInBothThemes(page);
  await sideB.getByRole("searchbox").fill(name);
  await expect(sideB.getByRole("button", { name: new RegExp(a) })).toHaveCount(0);
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
  const sideways = await page
    .getByRole("main")
    .evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(sideways).toBe(0);

  await page.getByRole("button", { name: "Swap" }).click();
  await expect(page).toHaveURL(new RegExp(`a=${b}&b=${a}`));
  await expect(page.getByRole("row", { name: /^Output tokens/ })).toContainText("less");
});

test("says which run is not there", async ({ signedIn: page, complaints }) => {
  complaints.allow(/404/);
  await open(page, "/runs/compare?a=run_gone&b=run_lost");

  await expect(page.getByText("Run not found").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Change run A" })).toBeVisible();
});
