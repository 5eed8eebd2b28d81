/** What axe says of every page but those of the runs, in its main states: both themes, both sizes. */
import type { Page } from "@playwright/test";

import { unique } from "./api";
import { everyType, twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { Prepared } from "./prepared-runs";
import { atBothSizes, look } from "./themes";

let product: Prepared;

// One product for all of it, in the order of the file.
test.describe.configure({ mode: "default", timeout: 120_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await Prepared.start();
});

test.afterAll(async () => product.stop());

const go = (page: Page, path: string) => open(page, product.url + path);
const dialog = (page: Page) => page.getByRole("dialog");

atBothSizes("pages with nothing in them yet", async ({ signedIn: page }) => {
  for (const [path, words] of [
    ["/", /Switched off/],
    ["/workflows", /No workflows yet/],
    ["/runs", /No runs yet/],
    ["/models", /No providers yet/],
    ["/no/such/page", /This page does not exist/],
  ] as const) {
    await go(page, path);
    await expect(page.getByText(words).first()).toBeVisible();
    await look(page, path);
  }
});

atBothSizes(
  "the dashboard, the lists and what went wrong",
  async ({ signedIn: page, complaints }) => {
    complaints.allow(/status of 500/);
    const { workflow } = await product.runs();
    await go(page, "/");
    await expect(page.getByRole("img", { name: /runs? in the last 24 hours: \d+ / })).toBeVisible();
    await expect(page.getByText("Wrong key").first()).toBeVisible();
    await look(page, "dashboard");
    await page.getByText("Show as table").first().click();
    await look(page, "dashboard: a chart as a table");

    await go(page, "/workflows");
    await expect(page.getByRole("link", { name: "Thrifty brief", exact: true })).toBeVisible();
    await look(page, "workflows");
    await page.getByRole("button", { name: "More actions for Thrifty brief" }).click();
    await look(page, "workflows: menu");
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await expect(page.getByRole("alertdialog")).toBeVisible();
    await look(page, "workflows: delete");
    await go(page, "/workflows?q=zzzz");
    await expect(page.getByText(/No workflows match “zzzz”/)).toBeVisible();
    await look(page, "workflows: none found");

    await page.route("**/api/v1/workflows/*", (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 500, title: "Internal error", slug: "internal" }),
      }),
    );
    await go(page, `/workflows/${workflow}`);
    await expect(page.getByRole("alert")).toBeVisible({ timeout: 20_000 });
    await look(page, "an error in place of the page");
  },
);

atBothSizes("new workflows: templates and import", async ({ signedIn: page, complaints }) => {
  complaints.allow(/status of 422/);
  await go(page, "/workflows/new");
  await expect(page.getByRole("listitem").filter({ hasText: "Daily brief" })).toBeVisible();
  await look(page, "templates");
  await page.getByRole("link", { name: "Preview Research and report" }).click();
  await expect(dialog(page).getByRole("region", { name: /^Document of/ })).toBeVisible();
  await look(page, "a template");

  await go(page, "/workflows/new?import=1");
  await page.getByLabel("Choose files to import").setInputFiles({
    name: "tasks.yaml",
    mimeType: "application/yaml",
    buffer: Buffer.from("a: 1"),
  });
  await expect(page.getByText("agents.yaml").first()).toBeVisible();
  await look(page, "import: a file is missing");
  await go(page, "/workflows/new?import=1");
  await look(page, "import");
  const text = page.getByLabel("Or paste a document");
  await text.fill(twoTasks("m", "Broken").replace("agent: writer", "agent: writr"));
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText("Import failed. Fix 1 error and try again.")).toBeVisible();
  await look(page, "import: errors");
  await text.fill(`${twoTasks("m", unique("Warned"))}verbose: true\n`);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText(/^\d warnings?$/)).toBeVisible();
  await look(page, "import: with a warning");
});

atBothSizes("the editor", async ({ signedIn: page }) => {
  const { workflow } = await product.runs();
  for (const view of ["split", "graph", "form", "form&node=agent:writer", "form&node=task:draft"]) {
    await go(page, `/workflows/${workflow}?view=${view}`);
    await expect(
      page
        .locator(".react-flow__node-card")
        .or(page.getByRole("list", { name: "Workflow outline" }))
        .first(),
    ).toBeVisible({ timeout: 30_000 });
    await look(page, `editor: ${view}`);
  }
  await go(page, `/workflows/${workflow}?view=yaml`);
  const code = page.getByRole("textbox", { name: /^Workflow YAML/ });
  await code.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("    as");
  await expect(page.getByRole("option").first()).toBeVisible();
  await look(page, "editor: completion");
  await page.keyboard.press("Escape");
  await page.keyboard.type("tonish: 1\n");
  await expect(page.getByText(/has no key `astonish`/).first()).toBeVisible();
  await look(page, "editor: problems");
  await page.getByRole("button", { name: "More actions" }).click();
  await look(page, "editor: menu");
});

atBothSizes("versions and runs of a workflow", async ({ signedIn: page }) => {
  const { workflow } = await product.runs();
  const yaml = twoTasks("m", unique("Versions"));
  const id = await product.api.workflow(yaml);
  await go(page, `/workflows/${id}?tab=runs`);
  await expect(page.getByText("No runs yet")).toBeVisible();
  await look(page, "no runs");
  await product.api.call("PUT", `/api/v1/workflows/${id}`, {
    workflow: { yaml: yaml.replace("Write well", "Write clearly"), note: "Clearer" },
  });
  await go(page, `/workflows/${id}?tab=versions`);
  await expect(page.getByText("Agent writer: goal changed")).toBeVisible();
  await look(page, "two versions compared");
  await go(page, `/workflows/${id}?tab=versions&to=1`);
  await expect(page.getByRole("region", { name: "Document of version 1" })).toBeVisible();
  await look(page, "one version");
  await page.getByRole("button", { name: "Restore…" }).click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await look(page, "restore");
  await go(page, `/workflows/${workflow}?tab=runs`);
  await expect(page.getByRole("list", { name: /^Runs of/ })).toBeVisible();
  await look(page, "runs of a workflow");
});

atBothSizes("the launch of a run", async ({ signedIn: page }) => {
  const { workflow } = await product.runs();
  const id = await product.api.workflow(everyType("gone", unique("Typed")));
  await go(page, `/workflows/${id}/run`);
  await expect(page.getByText("Cannot start")).toBeVisible();
  await look(page, "cannot start");
  await page.getByLabel("count").fill("many");
  await page.getByText("Advanced").click();
  await page.getByRole("button", { name: "Add row" }).click();
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page.getByLabel("topic")).toBeFocused();
  await look(page, "errors at the fields");
  await page.getByLabel("count").fill("3");
  await page.getByText("JSON", { exact: true }).click();
  await expect(page.getByLabel("Inputs as JSON")).toBeVisible();
  await look(page, "JSON");
  await go(page, `/workflows/${workflow}/run`);
  await expect(page.getByText("Ready to start.")).toBeVisible();
  await look(page, "ready");
  await page.getByRole("button", { name: "Previous inputs" }).click();
  await expect(dialog(page).getByRole("listitem").first()).toBeVisible();
  await look(page, "previous inputs");
});
