/** Accessibility of all pages except the run pages, in both themes and at both sizes. */
import type { Page } from "@playwright/test";

import { uniqueName } from "./api";
import { everyType, twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { ProductWithRuns } from "./product-with-runs";
import { atBothSizes, checkAccessibility } from "./themes";

let product: ProductWithRuns;

// All tests share one product and run in file order.
test.describe.configure({ mode: "default", timeout: 120_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await ProductWithRuns.start();
});

test.afterAll(async () => product.stop());

const openPath = (page: Page, path: string) => openPage(page, product.url + path);
const dialog = (page: Page) => page.getByRole("dialog");

atBothSizes("empty pages", async ({ signedIn: page }) => {
  for (const [path, text] of [
    ["/", /Switched off/],
    ["/workflows", /No workflows yet/],
    ["/runs", /No runs yet/],
    ["/models", /No providers yet/],
    ["/tools", /No connections yet/],
    ["/tools/mcp", /No MCP servers yet/],
    ["/no/such/page", /This page does not exist/],
  ] as const) {
    await openPath(page, path);
    await expect(page.getByText(text).first()).toBeVisible();
    await checkAccessibility(page, path);
  }
});

atBothSizes(
  "the dashboard, the workflow list and an error page",
  async ({ signedIn: page, browserErrors }) => {
    browserErrors.allow(/status of 500/);
    const { workflow } = await product.ensureRuns();
    await openPath(page, "/");
    await expect(page.getByRole("img", { name: /runs? in the last 24 hours: \d+ / })).toBeVisible();
    await expect(page.getByText("Wrong key").first()).toBeVisible();
    await checkAccessibility(page, "dashboard");
    await page.getByText("Show as table").first().click();
    await checkAccessibility(page, "dashboard: a chart as a table");

    await openPath(page, "/workflows");
    await expect(page.getByRole("link", { name: "Limited brief", exact: true })).toBeVisible();
    await checkAccessibility(page, "workflows");
    await page.getByRole("button", { name: "More actions for Limited brief" }).click();
    await checkAccessibility(page, "workflows: menu");
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await expect(page.getByRole("alertdialog")).toBeVisible();
    await checkAccessibility(page, "workflows: delete");
    await openPath(page, "/workflows?q=zzzz");
    await expect(page.getByText(/No workflows match “zzzz”/)).toBeVisible();
    await checkAccessibility(page, "workflows: no results");

    await page.route("**/api/v1/workflows/*", (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 500, title: "Internal error", slug: "internal" }),
      }),
    );
    await openPath(page, `/workflows/${workflow}`);
    await expect(page.getByRole("alert")).toBeVisible({ timeout: 20_000 });
    await checkAccessibility(page, "error page");
  },
);

atBothSizes("new workflows: templates and import", async ({ signedIn: page, browserErrors }) => {
  browserErrors.allow(/status of 422/);
  await openPath(page, "/workflows/new");
  await expect(page.getByRole("listitem").filter({ hasText: "Daily brief" })).toBeVisible();
  await checkAccessibility(page, "templates");
  await page.getByRole("link", { name: "Preview Research and report" }).click();
  await expect(dialog(page).getByRole("region", { name: /^Document of/ })).toBeVisible();
  await checkAccessibility(page, "template preview");

  await openPath(page, "/workflows/new?import=1");
  await page.getByLabel("Choose files to import").setInputFiles({
    name: "tasks.yaml",
    mimeType: "application/yaml",
    buffer: Buffer.from("a: 1"),
  });
  await expect(page.getByText("agents.yaml").first()).toBeVisible();
  await checkAccessibility(page, "import: a file is missing");
  await openPath(page, "/workflows/new?import=1");
  await checkAccessibility(page, "import");
  const document = page.getByLabel("Or paste a document");
  await document.fill(twoTasks("m", "Broken").replace("agent: writer", "agent: writr"));
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText("Import failed. Fix 1 error and try again.")).toBeVisible();
  await checkAccessibility(page, "import: errors");
  await document.fill(`${twoTasks("m", uniqueName("Warned"))}verbose: true\n`);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText(/^\d warnings?$/)).toBeVisible();
  await checkAccessibility(page, "import: with a warning");
});

atBothSizes("the editor", async ({ signedIn: page }) => {
  const { workflow } = await product.ensureRuns();
  for (const view of ["split", "graph", "form", "form&node=agent:writer", "form&node=task:draft"]) {
    await openPath(page, `/workflows/${workflow}?view=${view}`);
    await expect(
      page
        .locator(".react-flow__node-card")
        .or(page.getByRole("list", { name: "Workflow outline" }))
        .first(),
    ).toBeVisible({ timeout: 30_000 });
    await checkAccessibility(page, `editor: ${view}`);
  }
  await openPath(page, `/workflows/${workflow}?view=yaml`);
  const code = page.getByRole("textbox", { name: /^Workflow YAML/ });
  await code.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("    as");
  await expect(page.getByRole("option").first()).toBeVisible();
  await checkAccessibility(page, "editor: completion");
  await page.keyboard.press("Escape");
  await page.keyboard.type("tonish: 1\n");
  await expect(page.getByText(/has no key `astonish`/).first()).toBeVisible();
  await checkAccessibility(page, "editor: problems");
  await page.getByRole("button", { name: "More actions" }).click();
  await checkAccessibility(page, "editor: menu");
});

atBothSizes("the versions and runs of a workflow", async ({ signedIn: page }) => {
  const { workflow } = await product.ensureRuns();
  const yaml = twoTasks("m", uniqueName("Versions"));
  const id = await product.api.createWorkflow(yaml);
  await openPath(page, `/workflows/${id}?tab=runs`);
  await expect(page.getByText("No runs yet")).toBeVisible();
  await checkAccessibility(page, "no runs");
  await product.api.call("PUT", `/api/v1/workflows/${id}`, {
    workflow: { yaml: yaml.replace("Write well", "Write clearly"), note: "Clearer" },
  });
  await openPath(page, `/workflows/${id}?tab=versions`);
  await expect(page.getByText("Agent writer: goal changed")).toBeVisible();
  await checkAccessibility(page, "two versions compared");
  await openPath(page, `/workflows/${id}?tab=versions&to=1`);
  await expect(page.getByRole("region", { name: "Document of version 1" })).toBeVisible();
  await checkAccessibility(page, "single version");
  await page.getByRole("button", { name: "Restore…" }).click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await checkAccessibility(page, "restore");
  await openPath(page, `/workflows/${workflow}?tab=runs`);
  await expect(page.getByRole("list", { name: /^Runs of/ })).toBeVisible();
  await checkAccessibility(page, "runs of a workflow");
});

atBothSizes("starting a run", async ({ signedIn: page }) => {
  const { workflow } = await product.ensureRuns();
  const id = await product.api.createWorkflow(everyType("gone", uniqueName("Typed")));
  await openPath(page, `/workflows/${id}/run`);
  await expect(page.getByText("Cannot start")).toBeVisible();
  await checkAccessibility(page, "cannot start");
  await page.getByLabel("count").fill("many");
  await page.getByText("Advanced").click();
  await page.getByRole("button", { name: "Add row" }).click();
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page.getByLabel("topic")).toBeFocused();
  await checkAccessibility(page, "errors at the fields");
  await page.getByLabel("count").fill("3");
  await page.getByText("JSON", { exact: true }).click();
  await expect(page.getByLabel("Inputs as JSON")).toBeVisible();
  await checkAccessibility(page, "JSON");
  await openPath(page, `/workflows/${workflow}/run`);
  await expect(page.getByText("Ready to start.")).toBeVisible();
  await checkAccessibility(page, "ready");
  await page.getByRole("button", { name: "Previous inputs" }).click();
  await expect(dialog(page).getByRole("listitem").first()).toBeVisible();
  await checkAccessibility(page, "previous inputs");
});
