import type { Page } from "@playwright/test";

import { twoTasks } from "./documents.mjs";
import type { Api } from "./api";
import { uniqueName } from "./api";
import { expect, openPage, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

/** Creates a workflow with many comments. */
async function createWorkflow(api: Api, change: (yaml: string) => string = (yaml) => yaml) {
  const name = uniqueName("crew");
  const yaml = change(twoTasks("no-such-model", name))
    .replace("    role: Researcher\n", "    role: Researcher # who finds\n")
    .replace("tasks:\n", "# what is done\ntasks:\n");
  return { id: await api.createWorkflow(yaml), yaml, name };
}

const editor = (page: Page) => page.getByRole("textbox", { name: /^Workflow YAML/ });
const problems = (page: Page) => page.getByRole("region", { name: "Problems" });

/** Waits for the graph, whose code may load slowly on a busy machine. */
async function waitForGraph(page: Page) {
  await expect(page.locator(".react-flow__node-card").first()).toBeVisible({ timeout: 30_000 });
}

async function fetchWorkflow(api: Api, id: string) {
  return api.call<{ yaml: string; version: number }>("GET", `/api/v1/workflows/${id}`);
}

const node = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name }).and(page.locator(".react-flow__node button"));

test("shows errors and fixes them by suggestion and by typing", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=split`);
  await waitForGraph(page);
  await expect(page.getByRole("status").filter({ hasText: "Valid" })).toBeVisible();

  await editor(page).getByText("writer", { exact: true }).last().click();
  await page.keyboard.press("End");
  await page.keyboard.press("Backspace");

  await expect(
    problems(page).getByText("There is no agent `write`. Did you mean `writer`?"),
  ).toBeVisible();
  await expect(page.getByText("Fix 1 error to run")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save", exact: true })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await problems(page).getByRole("button", { name: "Change to writer" }).click();
  await expect(problems(page).getByText("There is no agent")).toBeHidden();

  await expect(editor(page)).toBeFocused();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("    verbos: true\n");
  await expect(problems(page).getByText(/has no key `verbos`/)).toBeVisible();
  await problems(page)
    .getByRole("button", { name: /line \d+ .*verbos/ })
    .click();
  await expect(editor(page)).toBeFocused();
});

test("keeps the last valid graph while the YAML is invalid", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=split`);
  await waitForGraph(page);
  await expect(node(page, /research/).first()).toBeVisible();

  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("process: a: b");

  await expect(page.getByText(/Showing the last valid graph/)).toBeVisible();
  await expect(node(page, /draft/)).toBeVisible();
});

test("checks only the syntax while the server does not answer", async ({
  api,
  signedIn: page,
  browserErrors,
}) => {
  browserErrors.allow(/Failed to load resource/);
  const { id } = await createWorkflow(api);
  await page.route("**/api/v1/yaml/validate", (route) => route.abort());
  await openPage(page, `/workflows/${id}?view=yaml`);

  await expect(page.getByText("Only the syntax was checked")).toBeVisible();
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("process: a: b");
  await expect(problems(page).getByText("A `:` is not allowed here.")).toBeVisible();
  for (let count = 0; count < 3; count += 1) await page.keyboard.press("Backspace");
  await expect(problems(page).getByText(/Only the YAML syntax was checked/)).toBeVisible();

  await page.unroute("**/api/v1/yaml/validate");
  await problems(page).getByRole("button", { name: "Check again" }).click();
  await expect(problems(page).getByText(/`a` is none of sequential, hierarchical/)).toBeVisible();
  await expect(page.getByText("Only the syntax was checked")).toBeHidden();
});

test("completes the names of agents", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=yaml`);
  await editor(page).click();
  await page.keyboard.press("Control+End");

  await page.keyboard.type("  third:\n");
  await page.keyboard.press("Tab");
  await page.keyboard.type("ag");
  await page.getByRole("option", { name: /^agent/ }).click();
  await expect(page.getByRole("option", { name: /researcher/ })).toBeVisible();
  await expect(page.getByRole("option", { name: /writer/ })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");

  await expect(editor(page)).toContainText("agent: writer");
});

test("selects the same node in the graph and in the YAML", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=split`);
  await waitForGraph(page);
  await expect(editor(page)).toBeVisible();

  await node(page, /draft/).click();
  await expect(page).toHaveURL(/node=task%3Adraft|node=task:draft/);
  await expect(editor(page)).toBeFocused();
  await expect(page.locator(".cm-activeLine")).toHaveText("  draft:");

  await editor(page).getByText("Find facts").click();
  await expect(node(page, /^researcher/)).toHaveAttribute("aria-pressed", "true");
  await expect(node(page, /draft/)).toHaveAttribute("aria-pressed", "false");
});

test("the form edits the document and keeps comments", async ({ api, signedIn: page }) => {
  const { id, yaml } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=form`);
  const hosts = page.getByRole("region", { name: "Workflow" }).getByLabel("Allowed hosts");
  await hosts.fill("https://api.example.com/v1");
  await expect(hosts).toHaveAccessibleDescription(/host name such as api\.example\.com/);
  await hosts.fill("api.example.com\n*.example.org:8443");
  await expect(hosts).not.toHaveAttribute("aria-invalid");
  await node(page, /^researcher/).click();
  const form = page.getByRole("region", { name: "Agent researcher" });

  await form.getByLabel("Role").fill("Senior researcher");
  await form.getByLabel("Max iterations").fill("7");
  await page
    .getByRole("button", { name: /asks|draft/ })
    .and(page.locator(".react-flow__node button"))
    .click();
  await page.getByLabel("Human input").check();
  await page.getByRole("button", { name: "Save", exact: true }).click();

  await expect(page.getByText("Version 2", { exact: true })).toBeVisible();
  const expected = yaml
    .replace("role: Researcher # who finds", "role: Senior researcher # who finds")
    .replace(
      "backstory: Curious.\n    llm: no-such-model\n",
      "backstory: Curious.\n    llm: no-such-model\n    max_iter: 7\n",
    )
    .replace("context: [research]\n", "context: [research]\n    human_input: true\n");
  const allowed = 'allowed_hosts: [api.example.com, "*.example.org:8443"]\n';
  expect((await fetchWorkflow(api, id)).yaml).toBe(expected + allowed);
});

test("adds, renames and deletes agents and tasks", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=form`);

  await page.getByRole("button", { name: "Add task" }).click();
  await page.getByLabel("Task name").fill("review");
  await page.getByLabel("Task name").press("Enter");
  await expect(page.getByRole("region", { name: "Task review" })).toBeVisible();
  await expect(node(page, /review/)).toBeVisible();
  await page.getByRole("checkbox", { name: "draft" }).check();
  await page.getByRole("button", { name: "Delete task review" }).click();

  await expect(page.getByText("Select an agent or a task")).toBeVisible();
  await expect(node(page, /review/)).toBeHidden();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});

test("saves new versions, with and without a note", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=yaml`);
  await expect(page.getByRole("link", { name: "Run…" })).toBeVisible();

  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# more");
  await expect(page.getByText("Save to run")).toBeVisible();
  await page.getByRole("button", { name: "Save with a note" }).click();
  await page.getByRole("textbox", { name: "Note", exact: true }).fill("A remark");
  await expectAccessibleInBothThemes(page);
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();

  await expect(page.getByText("Version 2", { exact: true })).toBeVisible();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  const { versions } = await api.call<{ versions: { note: string }[] }>(
    "GET",
    `/api/v1/workflows/${id}/versions`,
  );
  expect(versions[0]?.note).toBe("A remark");

  await editor(page).click();
  await page.keyboard.type("!");
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Version 3", { exact: true })).toBeVisible();
});

test("a conflict shows both versions and overwrites nothing", async ({
  api,
  signedIn: page,
  browserErrors,
}) => {
  browserErrors.allow(/412/);
  const { id, yaml } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=yaml`);
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# mine");
  await api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml: `${yaml}# theirs\n` } });

  await page.keyboard.press("Control+s");

  const dialog = page.getByRole("dialog", { name: "Changed by someone else" });
  await expect(dialog.getByText("# theirs")).toBeVisible();
  await expect(dialog.getByText("# mine")).toBeVisible();
  expect((await fetchWorkflow(api, id)).yaml).toContain("# theirs");
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Decide later" }).click();
  await page.getByRole("button", { name: "Compare" }).click();
  await dialog.getByRole("button", { name: "Keep mine as version 3" }).click();

  await expect(page.getByText("Version 3", { exact: true })).toBeVisible();
  expect((await fetchWorkflow(api, id)).yaml).toContain("# mine");
});

test("resolves a conflict with the saved version", async ({
  api,
  signedIn: page,
  browserErrors,
}) => {
  browserErrors.allow(/412/);
  const { id, yaml } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=yaml`);
  await editor(page).click();
  await page.keyboard.type("# mine ");
  await api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml: `# theirs\n${yaml}` } });
  await page.keyboard.press("Control+s");

  await page.getByRole("button", { name: "Discard mine, use theirs" }).click();

  await expect(page.getByText("Version 2", { exact: true })).toBeVisible();
  await expect(editor(page)).toContainText("# theirs");
  await expect(editor(page)).not.toContainText("# mine");
});

test("restores a draft after a reload and asks before leaving", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=yaml`);
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# a draft");
  await expect(page.getByText("Unsaved changes")).toBeVisible();

  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByText("Draft restored")).toBeVisible();
  await expect(editor(page)).toContainText("# a draft");

  await page.getByRole("link", { name: "Versions" }).click();
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await expect(editor(page)).toContainText("# a draft");
  await page.getByRole("link", { name: "Workflows", exact: true }).first().click();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await expect(dialog).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Stay" }).click();
  await expect(editor(page)).toContainText("# a draft");
  await page.getByRole("button", { name: "Discard draft" }).click();
  await expect(editor(page)).not.toContainText("# a draft");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});

test("exports, duplicates and deletes a workflow", async ({ api, signedIn: page }) => {
  const { id, yaml, name } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}?view=yaml`);
  const more = page.getByRole("button", { name: "More actions" });

  await more.click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /as YAML/ }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/\.ya?ml$/);
  const stream = await file.createReadStream();
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  expect(text).toBe(yaml);

  await more.click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`${name} copy`);
  await more.click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete workflow" }).click();
  await expect(page).toHaveURL(/\/workflows$/);
});

test("checks long documents", async ({ api, signedIn: page }) => {
  const manyTasks = Array.from(
    { length: 120 },
    (_, index) => `  t${index}:\n    description: d\n    expected_output: e\n    agent: writer\n`,
  ).join("");
  const { id } = await createWorkflow(api, (yaml) => yaml + manyTasks);
  await openPage(page, `/workflows/${id}?view=split`);
  await waitForGraph(page);
  await editor(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("  last:\n    agent: nobody\n");

  await expect(problems(page).getByText("There is no agent `nobody`.")).toBeVisible();
});

test("shows the outline first on a phone @phone", async ({ api, signedIn: page }) => {
  const { id } = await createWorkflow(api);
  await openPage(page, `/workflows/${id}`);
  const isNarrow = (page.viewportSize()?.width ?? 0) < 600;
  if (!isNarrow) await page.setViewportSize({ width: 390, height: 844 });

  const outline = page.getByRole("list", { name: "Workflow outline" });
  await expect(outline.getByRole("button", { name: /research/ }).first()).toBeVisible();
  await page.getByRole("radio", { name: "YAML" }).check({ force: true });
  await expect(editor(page)).toContainText("researcher");
  await page.getByRole("radio", { name: "Graph" }).check({ force: true });
  await expect(node(page, /draft/)).toBeVisible();
  await page.getByRole("radio", { name: "Form" }).check({ force: true });
  await outline.getByRole("button", { name: /draft/ }).click();
  await expect(page.getByLabel("Task name")).toHaveValue("draft");
  const hasOverflow = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(hasOverflow).toBe(false);
});
