/** From a zip on the desk to a finished run: one drop and one click. */
import { uniqueName } from "./api";
import { expect, openPage, test } from "./fixtures";
import { asFile, createProject, dropFile } from "./project-files";

test("runs a dropped project with one click, and allows a refused host", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.slow();
  const name = uniqueName("brief");
  await provider.script(["A short report."]);
  const model = await api.createModel(provider.baseUrl);
  await openPage(page, "/projects");
  await dropFile(page, asFile(createProject(name)));

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText("Starts with")).toContainText("src/brief/main.py");
  await expect(page.getByLabel("topic")).toHaveValue("bees");
  await page.getByLabel("Every other model").selectOption(model);
  await expect(page.getByText("Models saved")).toBeVisible();
  // While the version is being built, the start waits for it.
  await page.getByRole("button", { name: /^Start/ }).click();

  await expect(page).toHaveURL(/\/runs\/run_/, { timeout: 60_000 });
  await expect(page).toHaveTitle(/completed/, { timeout: 60_000 });
  await page.getByRole("tab", { name: "Log" }).click();
  await expect(page.getByRole("region", { name: "Log of the run" })).toContainText(
    "Looking up bees",
  );
  await page.getByRole("tab", { name: "Output" }).click();
  await expect(page.getByText("A short report.").first()).toBeVisible();
  await expect(page.getByText("output/reports/today.md").first()).toBeVisible();

  const refused = page.getByRole("region", { name: "Needs attention" });
  await expect(refused).toContainText("weather.example.com, which is not allowed");
  await refused.getByRole("button", { name: "Allow for this project" }).click();
  await expect(refused).toContainText("weather.example.com is allowed now");
  await page.getByRole("link", { name: new RegExp(name) }).click();
  await page.getByRole("link", { name: "Hosts", exact: true }).click();
  await expect(page.getByLabel("Hosts", { exact: true })).toHaveValue("weather.example.com");
});
