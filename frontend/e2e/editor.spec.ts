import type { Page } from "@playwright/test";

import { twoTasks } from "./documents";
import type { Api } from "./api";
import { unique } from "./api";
import { expect, open, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

/** A saved workflow with a comment beside nearly everything. */
async function saved(api: Api, change: (yaml: string) => string = (yaml) => yaml) {
  const name = unique("crew");
  const yaml = change(twoTasks("no-such-model", name))
    .replace("    role: Researcher\n", "    role: Researcher # who finds\n")
    .replace("tasks:\n", "# what is done\ntasks:\n");
  return { id: await api.workflow(yaml), yaml, name };
}

const code = (page: Page) => page.getByRole("textbox", { name: /^Workflow YAML/ });
const problems = (page: Page) => page.getByRole("region", { name: "Problems" });

/** The graph's code is the largest of the page: a busy machine takes a while for it. */
async function drawn(page: Page) {
  await expect(page.locator(".react-flow__node-card").first()).toBeVisible({ timeout: 30_000 });
}

async function documentOf(api: Api, id: string) {
  return api.call<{ yaml: string; version: number }>("GET", `/api/v1/workflows/${id}`);
}

const node = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name }).and(page.locator(".react-flow__node button"));

test("errors are shown at once, and mended by a suggestion and by typing", async ({
  api,
  signedIn: page,
}) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=split`);
  await drawn(page);
  await expect(page.getByRole("status").filter({ hasText: "Valid" })).toBeVisible();

  await code(page).getByText("writer", { exact: true }).last().click();
  await page.keyboard.press("End");
  await page.keyboard.press("Backspace");

  await expect(
    problems(page).getByText("There is no agent `write`. Did you mean `writer`?"),
  ).toBeVisible();
  await expect(page.getByText("Mend 1 problem to run")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save", exact: true })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await problems(page).getByRole("button", { name: "Change to writer" }).click();
  await expect(problems(page).getByText("There is no agent")).toBeHidden();

  await expect(code(page)).toBeFocused();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("    verbos: true\n");
  await expect(problems(page).getByText(/has no `verbos`/)).toBeVisible();
  await problems(page)
    .getByRole("button", { name: /line \d+ .*verbos/ })
    .click();
  await expect(code(page)).toBeFocused();
});

test("broken YAML keeps the last graph, dimmed", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=split`);
  await drawn(page);
  await expect(node(page, /research/).first()).toBeVisible();

  await code(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("process: a: b");

  await expect(page.getByText(/The last graph that could be drawn/)).toBeVisible();
  await expect(node(page, /draft/)).toBeVisible();
});

test("completion offers the agents of the document", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=yaml`);
  await code(page).click();
  await page.keyboard.press("Control+End");

  await page.keyboard.type("  third:\n");
  await page.keyboard.press("Tab");
  await page.keyboard.type("ag");
  await page.getByRole("option", { name: /^agent/ }).click();
  await expect(page.getByRole("option", { name: /researcher/ })).toBeVisible();
  await expect(page.getByRole("option", { name: /writer/ })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");

  await expect(code(page)).toContainText("agent: writer");
});

test("graph and cursor follow one another", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=split`);
  await drawn(page);

  await node(page, /draft/).click();
  await expect(page).toHaveURL(/node=task%3Adraft|node=task:draft/);
  await expect(code(page)).toBeFocused();
  await expect(page.locator(".cm-activeLine")).toHaveText("  draft:");

  await code(page).getByText("Find facts").click();
  await expect(node(page, /^researcher/)).toHaveAttribute("aria-pressed", "true");
  await expect(node(page, /draft/)).toHaveAttribute("aria-pressed", "false");
});

test("the form writes back, and comments stay", async ({ api, signedIn: page }) => {
  const { id, yaml } = await saved(api);
  await open(page, `/workflows/${id}?view=form&node=agent:researcher`);
  const form = page.getByRole("region", { name: "Agent researcher" });

  await form.getByLabel("Role").fill("Senior researcher");
  await form.getByLabel("Most steps for one task").fill("7");
  await page
    .getByRole("button", { name: /asks|draft/ })
    .and(page.locator(".react-flow__node button"))
    .click();
  await page.getByLabel("Ask a person").check();
  await page.getByRole("button", { name: "Save", exact: true }).click();

  await expect(page.getByText("Version 2", { exact: true })).toBeVisible();
  const expected = yaml
    .replace("role: Researcher # who finds", "role: Senior researcher # who finds")
    .replace(
      "backstory: Curious.\n    llm: no-such-model\n",
      "backstory: Curious.\n    llm: no-such-model\n    max_iter: 7\n",
    )
    .replace("context: [research]\n", "context: [research]\n    human_input: true\n");
  expect((await documentOf(api, id)).yaml).toBe(expected);
});

test("agents and tasks are added, renamed and taken away", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=form`);

  await page.getByRole("button", { name: "Add task" }).click();
  await page.getByLabel("Task name").fill("review");
  await page.getByLabel("Task name").press("Enter");
  await expect(page.getByRole("region", { name: "Task review" })).toBeVisible();
  await expect(node(page, /review/)).toBeVisible();
  await page.getByRole("checkbox", { name: "draft" }).check();
  await page.getByRole("button", { name: "Delete task review" }).click();

  await expect(page.getByText("Pick an agent or a task")).toBeVisible();
  await expect(node(page, /review/)).toBeHidden();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});

test("a save makes version 2, with a note", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=yaml`);
  await expect(page.getByRole("link", { name: "Run…" })).toBeVisible();

  await code(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# more");
  await expect(page.getByText("Save to run")).toBeVisible();
  await page.getByRole("button", { name: "Save with a note" }).click();
  await page.getByLabel("What changed and why").fill("A remark");
  await expectAccessibleInBothThemes(page);
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();

  await expect(page.getByText("Version 2", { exact: true })).toBeVisible();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  const { versions } = await api.call<{ versions: { note: string }[] }>(
    "GET",
    `/api/v1/workflows/${id}/versions`,
  );
  expect(versions[0]?.note).toBe("A remark");

  await code(page).click();
  await page.keyboard.type("!");
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Version 3", { exact: true })).toBeVisible();
});

test("a conflict shows both, and overwrites nothing", async ({
  api,
  signedIn: page,
  complaints,
}) => {
  complaints.allow(/412/);
  const { id, yaml } = await saved(api);
  await open(page, `/workflows/${id}?view=yaml`);
  await code(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# mine");
  await api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml: `${yaml}# theirs\n` } });

  await page.keyboard.press("Control+s");

  const dialog = page.getByRole("dialog", { name: "Changed by someone else" });
  await expect(dialog.getByText("# theirs")).toBeVisible();
  await expect(dialog.getByText("# mine")).toBeVisible();
  expect((await documentOf(api, id)).yaml).toContain("# theirs");
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Decide later" }).click();
  await page.getByRole("button", { name: "Compare and decide" }).click();
  await dialog.getByRole("button", { name: "Keep mine, save as version 3" }).click();

  await expect(page.getByText("Version 3", { exact: true })).toBeVisible();
  expect((await documentOf(api, id)).yaml).toContain("# mine");
});

test("theirs can be taken instead", async ({ api, signedIn: page, complaints }) => {
  complaints.allow(/412/);
  const { id, yaml } = await saved(api);
  await open(page, `/workflows/${id}?view=yaml`);
  await code(page).click();
  await page.keyboard.type("# mine ");
  await api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml: `# theirs\n${yaml}` } });
  await page.keyboard.press("Control+s");

  await page.getByRole("button", { name: "Take theirs, discard mine" }).click();

  await expect(page.getByText("Version 2", { exact: true })).toBeVisible();
  await expect(code(page)).toContainText("# theirs");
  await expect(code(page)).not.toContainText("# mine");
});

test("a draft outlives a reload, and leaving asks", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}?view=yaml`);
  await code(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# a draft");
  await expect(page.getByText("Unsaved changes")).toBeVisible();

  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByText("Your draft was restored")).toBeVisible();
  await expect(code(page)).toContainText("# a draft");

  await page.getByRole("link", { name: "Versions" }).click();
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await expect(code(page)).toContainText("# a draft");
  await page.getByRole("link", { name: "Workflows", exact: true }).first().click();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await expect(dialog).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Stay" }).click();
  await expect(code(page)).toContainText("# a draft");
  await page.getByRole("button", { name: "Discard draft" }).click();
  await expect(code(page)).not.toContainText("# a draft");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});

test("export, duplicate and delete", async ({ api, signedIn: page }) => {
  const { id, yaml, name } = await saved(api);
  await open(page, `/workflows/${id}?view=yaml`);
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

test("long documents are checked beside the page", async ({ api, signedIn: page }) => {
  const many = Array.from(
    { length: 120 },
    (_, index) => `  t${index}:\n    description: d\n    expected_output: e\n    agent: writer\n`,
  ).join("");
  const { id } = await saved(api, (yaml) => yaml + many);
  await open(page, `/workflows/${id}?view=split`);
  await drawn(page);
  await code(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("  last:\n    agent: nobody\n");

  await expect(problems(page).getByText("There is no agent `nobody`.")).toBeVisible();
});

test("on a phone the outline comes first @phone", async ({ api, signedIn: page }) => {
  const { id } = await saved(api);
  await open(page, `/workflows/${id}`);
  const narrow = (page.viewportSize()?.width ?? 0) < 600;
  if (!narrow) await page.setViewportSize({ width: 390, height: 844 });

  const outline = page.getByRole("list", { name: "Outline of the workflow" });
  await expect(outline.getByRole("button", { name: /research/ }).first()).toBeVisible();
  await page.getByRole("radio", { name: "YAML" }).check({ force: true });
  await expect(code(page)).toContainText("researcher");
  await page.getByRole("radio", { name: "Graph" }).check({ force: true });
  await expect(node(page, /draft/)).toBeVisible();
  await page.getByRole("radio", { name: "Form" }).check({ force: true });
  await outline.getByRole("button", { name: /draft/ }).click();
  await expect(page.getByLabel("Task name")).toHaveValue("draft");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(wide).toBe(false);
});
