/** Projects run as code: upload, inspection, secrets, models, build log and files. */
import type { Page } from "@playwright/test";

import { uniqueName } from "./api";
import { expect, expectAccessible, openPage, test } from "./fixtures";
import { asFile, createProject, MAIN } from "./project-files";
import { createZip } from "./zip";

const CREW = `from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task
from crewai.tools import BaseTool


class Lookup(BaseTool):
    name: str = "lookup"
    description: str = "Looks up a street."

    def _run(self, street: str) -> str:
        return street


@CrewBase
class Town:
    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @agent
    def writer(self) -> Agent:
        return Agent(config=self.agents_config["writer"], tools=[Lookup()])

    @task
    def write(self) -> Task:
        return Task(config=self.tasks_config["write"])

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential)
`;

const chooseZip = (page: Page) => page.getByLabel("Choose the zip of a project");
const tab = (page: Page, name: string) =>
  page.getByRole("navigation", { name: "Project" }).getByRole("link", { name, exact: true });

test("uploads a project, shows what was found, and keeps its settings @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.slow();
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("brief");
  await openPage(page, "/projects");
  await chooseZip(page).setInputFiles(asFile(createProject(name)));

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText("1 variable of .env files is now stored encrypted")).toBeVisible();
  await tab(page, "Overview").click();
  const facts = page.locator('dl[aria-label="Inspection"]');
  await expect(facts).toContainText("WEATHER_API_KEY");
  await expect(facts).toContainText(">=3.10");
  await expect(page.getByLabel("Starts with")).toContainText("src/brief/main.py");

  await tab(page, "Environment").click();
  const secrets = page.getByRole("list", { name: "Environment variables" }).getByRole("listitem");
  await expect(secrets.filter({ hasText: "MAIL_TOKEN" })).toContainText("Set");
  const weather = secrets.filter({ hasText: "WEATHER_API_KEY" });
  await expect(weather).toContainText("Not set");
  await weather.getByRole("button", { name: "Set WEATHER_API_KEY" }).click();
  const value = page.getByLabel("Value");
  await expect(value).toBeFocused();
  await value.fill("sunny-with-a-chance-of-rain");
  await page.keyboard.press("Enter");
  await expect(weather.getByRole("button", { name: "Replace WEATHER_API_KEY" })).toBeVisible();
  await expect(value).toHaveValue("");
  await secrets
    .filter({ hasText: "MAIL_TOKEN" })
    .getByRole("button", { name: "Delete MAIL_TOKEN" })
    .click();
  await page.getByRole("button", { name: "Delete variable" }).click();
  await expect(secrets.filter({ hasText: "MAIL_TOKEN" })).toHaveCount(0);
  await expect(secrets.filter({ hasText: "OPENAI_API_KEY" })).toContainText("Set by the server");

  await tab(page, "Models").click();
  await page.getByLabel("Every other model").selectOption(model);
  await expect(page.getByText("Models saved")).toBeVisible();

  await tab(page, "Hosts").click();
  await page.getByLabel("Hosts", { exact: true }).fill("api.example.com\n*.example.org");
  await page.getByRole("button", { name: "Save hosts" }).click();
  await expect(page.getByText("Allowed hosts saved")).toBeVisible();

  await tab(page, "Files").click();
  await page.getByRole("navigation", { name: "Files" }).getByText("readme.md").click();
  await expect(page.getByRole("region", { name: "Text of src/brief/notes/readme.md" })).toHaveText(
    "# Notes",
  );

  await tab(page, "Build log").click();
  await expect(page.getByRole("heading", { name: "Build of version 1" })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Build 1" })).toBeVisible();

  await tab(page, "Runs").click();
  await expect(page.getByText("No runs yet")).toBeVisible();

  const id = /projects\/([^/?]+)/.exec(page.url())?.[1] ?? "";
  const { project } = await api.call<{ project: Record<string, unknown> }>(
    "GET",
    `/api/v1/projects/${id}`,
  );
  expect(project).toMatchObject({
    secretNames: ["WEATHER_API_KEY"],
    modelMap: { "*": model },
    allowedHosts: ["api.example.com", "*.example.org"],
  });
});

test("compares a second version with the first", async ({ signedIn: page }) => {
  const name = uniqueName("brief");
  await openPage(page, "/projects");
  await chooseZip(page).setInputFiles(asFile(createProject(name)));
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

  await tab(page, "Versions").click();
  await expect(page.getByText("This is the only version.")).toBeVisible();
  await chooseZip(page).setInputFiles(asFile(createProject(name, `${MAIN}# changed\n`)));
  await expect(page.getByText("Version 2", { exact: false }).first()).toBeVisible();
  await tab(page, "Versions").click();

  const changes = page.getByRole("list", { name: "Changed files" });
  await expect(changes.getByText("src/brief/main.py")).toBeVisible();
  await expect(changes.getByRole("region", { name: "Changed lines" })).toContainText("# changed");
  await expectAccessible(page);
});

test("explains why an upload is refused, and lists and deletes projects @phone", async ({
  signedIn: page,
  browserErrors,
}) => {
  browserErrors.allow(/status of 422/);
  const name = uniqueName("brief");
  await openPage(page, "/projects");
  await chooseZip(page).setInputFiles({
    name: "main.py",
    mimeType: "text/x-python",
    buffer: Buffer.from("print()"),
  });
  await expect(page.getByRole("alert")).toContainText("main.py is not a zip");
  await chooseZip(page).setInputFiles(asFile(Buffer.from("not a zip")));
  await expect(page.getByRole("alert")).toContainText("zip");
  await expectAccessible(page);

  await chooseZip(page).setInputFiles(asFile(createProject(name)));
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await openPage(page, `/projects?q=${name}`);
  const row = page.getByRole("list", { name: "Projects" }).getByRole("listitem");
  await expect(row).toHaveCount(1);
  await expectAccessible(page);
  await row.getByRole("link", { name, exact: true }).click();
  await page.getByRole("button", { name: "Delete project" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete project" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Projects" })).toBeVisible();
});

test("offers to run an import that loses code as a project", async ({ signedIn: page }) => {
  const name = uniqueName("town");
  const files = {
    "pyproject.toml": `[project]\nname = "${name}"\nversion = "1.0"\ndependencies = []\n`,
    "src/town/config/agents.yaml": "writer:\n  role: Writer\n  goal: Write\n  backstory: Short\n",
    "src/town/config/tasks.yaml":
      "write:\n  description: Write\n  expected_output: Text\n  agent: writer\n",
    "src/town/crew.py": CREW,
  };
  await openPage(page, "/workflows/new");
  await expect(page.getByRole("link", { name: /Bring your project/ })).toBeVisible();
  await openPage(page, "/workflows/new?import=true");
  await page.getByLabel("Choose files to import").setInputFiles(asFile(createZip(files)));
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("button", { name: "Run it as a project" }).click();

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText("Starts with")).toContainText("src/town/crew.py");
});
