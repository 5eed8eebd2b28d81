import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";

import { uniqueName } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { createZip } from "./zip";

const REJECTED = /status of (409|422)/;

test("searches, exports, duplicates, deletes and runs workflows from the list @phone", async ({
  signedIn: page,
  api,
  provider,
  browserErrors,
}) => {
  test.slow();
  // The name of a copy is rejected once, then the suggested name is used.
  browserErrors.allow(REJECTED);
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("crew");
  const id = await api.createWorkflow(twoTasks(model, name));
  for (const topic of ["bees", "tea"])
    await api.waitForStatus(await api.startRun(id, { topic }), "completed");
  const list = page.getByRole("list", { name: "Workflows" });
  const row = list
    .getByRole("listitem")
    .filter({ has: page.getByRole("link", { name, exact: true }) });

  await openPage(page, "/workflows");
  await page.getByRole("searchbox", { name: "Search workflows" }).fill(name);
  await expect(page).toHaveURL(new RegExp(`q=${name}`));
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await expect(row.getByText("Completed", { exact: true })).toBeVisible();
  if ((page.viewportSize()?.width ?? 0) > 1024) {
    await expect(row.getByRole("img", { name: "Last 2 runs: 2 completed" })).toBeVisible();
  }

  const more = row.getByRole("button", { name: `More actions for ${name}` });
  await more.click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Export as YAML" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe(`${name}.yaml`);
  expect(await readFile(await file.path(), "utf8")).toBe(twoTasks(model, name));

  await more.click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await expect(list.getByRole("listitem")).toHaveCount(2);
  await expect(page.getByText(`Created ${name} 2`)).toBeVisible();
  const copy = list.getByRole("listitem").filter({ hasText: `${name} 2` });
  await copy.getByRole("button", { name: `More actions for ${name} 2` }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  const dialog = page.getByRole("alertdialog", { name: `Delete ${name} 2?` });
  await expect(dialog.getByText("this cannot be undone")).toBeVisible();
  await dialog.getByRole("button", { name: "Delete workflow" }).click();
  await expect(list.getByRole("listitem")).toHaveCount(1);

  await row.getByRole("link", { name: `Run ${name}` }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Run ${name}` })).toBeVisible();
});

test("shows that no workflow matches and clears the search", async ({ signedIn: page, api }) => {
  const name = uniqueName("crew");
  await api.createWorkflow(twoTasks("no-such-model", name));

  await openPage(page, "/workflows?q=zzzzzz");
  await expect(page.getByText("No workflows match “zzzzzz”")).toBeVisible();
  await page.getByRole("link", { name: "Clear search" }).click();

  await expect(page.getByRole("link", { name, exact: true })).toBeVisible();
  await expect(page.getByRole("searchbox", { name: "Search workflows" })).toHaveValue("");
});

test("loads more workflows while scrolling", async ({ signedIn: page, api }) => {
  test.slow();
  const prefix = uniqueName("many");
  for (let number = 0; number < 55; number += 1) {
    await api.createWorkflow(twoTasks("no-such-model", `${prefix} no${number}x`));
  }

  await openPage(page, `/workflows?q=${prefix}`);
  const rows = page.getByRole("list", { name: "Workflows" }).getByRole("listitem");
  await expect(rows.first()).toBeVisible();
  await rows.last().scrollIntoViewIfNeeded();

  await expect(rows).toHaveCount(55);
});

test("previews, uses, changes and runs a template @phone", async ({
  signedIn: page,
  api,
  provider,
  browserErrors,
}) => {
  test.slow();
  // If the name exists already, it is rejected once and the suggested name is used.
  browserErrors.allow(REJECTED);
  // The template names no model and uses the default one.
  const model = await api.createModel(provider.baseUrl);
  await openPage(page, "/workflows/new");
  const template = page.getByRole("listitem").filter({ hasText: "Daily brief" });
  await expect(template.getByText("Runs on the local model")).toBeVisible();
  await expect(template.getByText("2 agents · 2 tasks")).toBeVisible();

  await page.getByRole("link", { name: "Preview Research and report" }).click();
  const preview = page.getByRole("dialog", { name: "Research and report" });
  await expect(page).toHaveURL(/template=research-and-report/);
  await expect(preview.getByRole("region", { name: /^Document of/ })).toContainText("agents:");
  await preview.getByRole("button", { name: "Use template" }).click();

  await expect(page).toHaveURL(/\/workflows\/wf_/);
  const id = /wf_[0-9a-f]+/.exec(page.url())?.[0] ?? "";
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Research and report");
  const { yaml } = await api.call<{ yaml: string }>("GET", `/api/v1/workflows/${id}`);
  const changed = yaml.replaceAll(/^( {4}role: .*)$/gm, `$1\n    llm: ${model}`);
  await api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml: changed } });

  await openPage(page, `/workflows/${id}/run`);
  await expect(page.getByRole("list", { name: "Models" })).toContainText(model);
  for (const box of await page.getByRole("textbox", { name: /\(required\)/ }).all()) {
    await box.fill("honey bees");
  }
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page).toHaveURL(/\/runs\/run_/);
});

test("reports an unknown template, and opens a blank workflow in the editor", async ({
  signedIn: page,
  browserErrors,
}) => {
  browserErrors.allow(REJECTED);
  await openPage(page, "/workflows/new?template=no-such");
  await expect(page.getByText("There is no template named “no-such”.")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/\/workflows\/new$/);

  await page.getByRole("button", { name: /^Blank/ }).click();

  await expect(page).toHaveURL(/\/workflows\/wf_/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("New workflow");
});

const AGENTS = `researcher:
  role: Researcher
  goal: Find facts about {topic}
  backstory: Curious.
`;
const TASKS = `research:
  description: Find facts about {topic}.
  expected_output: Facts
  agent: researcher
`;

test("imports agents.yaml and tasks.yaml under a chosen name @phone", async ({
  signedIn: page,
}) => {
  test.slow();
  const name = uniqueName("pair");
  await openPage(page, "/workflows/new?import=1");
  const files = page.getByLabel("Choose files to import");
  await files.setInputFiles(textFile("tasks.yaml", TASKS));
  await expect(page.getByRole("list", { name: "Selected files" })).toContainText(
    "agents.yamlmissing",
  );
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText("Add agents.yaml too.")).toBeVisible();
  await files.setInputFiles(textFile("agents.yaml", AGENTS));
  await page.getByLabel("Workflow name").fill(name);
  await page.getByRole("button", { name: "Import", exact: true }).click();

  await expectOpened(page, name);
});

test("shows why a zip was refused, and imports a project twice under different names", async ({
  signedIn: page,
  browserErrors,
}) => {
  browserErrors.allow(REJECTED);
  const name = uniqueName("project").toLowerCase();
  const project = createZip({
    [`${name}/pyproject.toml`]: `[project]\nname = "${name}"\n`,
    [`${name}/src/crew/config/agents.yaml`]: AGENTS,
    [`${name}/src/crew/config/tasks.yaml`]: TASKS,
    [`${name}/src/crew/main.py`]: "raise SystemExit('never run')\n",
  });
  const upload = { name: "project.zip", mimeType: "application/zip", buffer: project };
  const files = page.getByLabel("Choose files to import");
  const start = page.getByRole("button", { name: "Import", exact: true });
  await openPage(page, "/workflows/new?import=1");
  await files.setInputFiles({ ...upload, buffer: Buffer.from("PK") });
  await start.click();
  await expect(page.getByText("Archive refused")).toBeVisible();

  await page.getByRole("button", { name: "Remove" }).click();
  await files.setInputFiles(upload);
  await start.click();
  await expect(page.getByLabel(`Kept of ${name}`)).toContainText("researcher");
  await expect(page.getByRole("list", { name: "Left out of the project" })).toContainText(
    `${name}/src/crew/main.py:1`,
  );
  await page.getByRole("button", { name: "Import 1 workflow" }).click();
  await expectOpened(page, name);

  await openPage(page, "/workflows/new?import=1");
  await files.setInputFiles(upload);
  await start.click();
  await expect(page.getByText("is taken: the workflow is named")).toBeAttached();
  await page.getByRole("button", { name: "Import 1 workflow" }).click();
  await expectOpened(page, `${name} 2`);
});

const CREW_CODE = `\
from crewai import Agent, Crew, Task
from crewai.flow.flow import Flow

poet = Agent(role="Poet", goal="Rhyme", backstory="Kind.", step_callback=print)
critic = Agent(role="Critic", goal="Judge", backstory="Strict.")
poem = Task(description="Rhyme about {topic}", expected_output="A poem", agent=poet)
review = Task(description="Review", expected_output="A note", agent=critic)
writing = Crew(agents=[poet], tasks=[poem])
reviewing = Crew(agents=[critic], tasks=[review])

class Steps(Flow):
    def start(self): ...
`;

test("shows what of each crew in Python is kept and lost, and saves the chosen one @phone", async ({
  signedIn: page,
}) => {
  const name = uniqueName("poems").toLowerCase();
  const buffer = createZip({
    [`${name}/pyproject.toml`]: `[project]\nname = "${name}"\n`,
    [`${name}/main.py`]: CREW_CODE,
  });
  await openPage(page, "/workflows/new?import=1");
  await page
    .getByLabel("Choose files to import")
    .setInputFiles({ name: "poems.zip", mimeType: "application/zip", buffer });
  await page.getByRole("button", { name: "Import", exact: true }).click();

  await expect(page.getByText("Nothing is saved yet.")).toBeVisible();
  const lost = page.getByRole("list", { name: "Left out of the project" });
  await expect(lost).toContainText("Flows");
  await expect(lost).toContainText(`${name}/main.py:11`);
  await expect(page.getByText(`${name}/main.py:4`, { exact: true })).toBeVisible();
  const choices = page.getByRole("checkbox");
  await expect(choices).toHaveCount(2);
  await choices.first().focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Import 1 workflow" }).click();

  await expectOpened(page, name);
});

test("shows the errors of a pasted document by line, and imports it under another name", async ({
  signedIn: page,
  api,
  browserErrors,
}) => {
  test.slow();
  browserErrors.allow(REJECTED);
  const name = uniqueName("paste");
  await api.createWorkflow(twoTasks("m", name));
  await openPage(page, "/workflows/new?import=1");
  const text = page.getByLabel("Or paste a document");
  await text.fill(twoTasks("m", name).replace("agent: writer", "agent: writr"));
  await page.getByRole("button", { name: "Import", exact: true }).click();

  await expect(page.getByText("Import failed. Fix 1 error and try again.")).toBeVisible();
  await page.getByRole("button", { name: "line 25" }).click();
  const selected = await text.evaluate((area: HTMLTextAreaElement) =>
    area.value.slice(area.selectionStart, area.selectionEnd),
  );
  expect(selected).toBe("    agent: writr");
  await page.keyboard.type("    agent: writer");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText("A workflow with this name already exists")).toBeVisible();
  await expect(page.getByRole("link", { name: "Open existing workflow" })).toBeVisible();
  await page.getByRole("button", { name: `Import as “${name} 2”` }).click();
  // The model is not registered, which is a warning.
  await page.getByRole("link", { name: "Open in the editor" }).click();

  await expectOpened(page, `${name} 2`);
});

test("imports a dropped document and shows its warnings", async ({ signedIn: page }) => {
  test.slow();
  const name = uniqueName("drop");
  const yaml = `${twoTasks("m", name)}verbose: true\nmystery_key: 1\n`;
  await openPage(page, "/workflows/new?import=1");
  const dropped = await page.evaluateHandle(
    (content) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], "crew.yaml"));
      return transfer;
    },
    yaml.replace("mystery_key: 1\n", ""),
  );
  await page.getByRole("group", { name: "Files to import" }).dispatchEvent("drop", {
    dataTransfer: dropped,
  });
  await expect(page.getByLabel("Or paste a document")).toHaveValue(/^name: drop/);
  await page.getByRole("button", { name: "Import", exact: true }).click();

  await expect(page.getByRole("heading", { name: `${name} was imported` })).toBeVisible();
  await expect(page.getByText(/^\d warnings?$/)).toBeVisible();
  await page.getByRole("link", { name: "Open in the editor" }).click();
  await expectOpened(page, name);
});

async function expectOpened(page: Page, name: string): Promise<void> {
  await expect(page).toHaveURL(/\/workflows\/wf_/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(name);
}

function textFile(name: string, text: string) {
  return { name, mimeType: "application/yaml", buffer: Buffer.from(text) };
}
