/** Accessibility of the pages of projects, in both themes and at both sizes. */
import { Api, uniqueName } from "./api";
import { expect, openPage, test } from "./fixtures";
import { Provider } from "./provider";
import { createProject, MAIN, waitForBuild } from "./project-files";
import { atBothSizes, checkAccessibility } from "./themes";

const name = uniqueName("brief");
let projectId = "";
let runId = "";

// All tests share one project with two versions and a run.
test.describe.configure({ mode: "default", timeout: 120_000 });

test.beforeAll(async ({ baseURL }) => {
  test.setTimeout(120_000);
  const api = new Api(baseURL ?? "");
  const provider = await Provider.start();
  await provider.script(["A short report."]);
  const model = await api.createModel(provider.baseUrl);
  projectId = await api.uploadProject(createProject(name));
  await api.uploadProject(createProject(name, `${MAIN}# changed\n`), projectId);
  await waitForBuild(api, projectId);
  await api.call("PATCH", `/api/v1/projects/${projectId}`, {
    project: { modelMap: { "*": model } },
  });
  ({ runId } = await api.call<{ runId: string }>("POST", "/api/v1/runs", { projectId }));
  await api.waitForStatus(runId, "completed", "failed");
  await provider.stop();
});

atBothSizes("the pages of projects", async ({ signedIn: page }) => {
  const check = async (path: string, text: string | RegExp, state: string) => {
    await openPage(page, path);
    await expect(page.getByText(text).first()).toBeVisible();
    await checkAccessibility(page, state);
  };
  const project = `/projects/${projectId}`;
  await check(`/projects?q=${name}`, name, "list");
  await check("/projects?q=zzzz", /No projects match “zzzz”/, "no results");
  await check(`${project}/run`, "Ready to start.", "run");
  await check(project, "What was found", "overview");
  await check(`${project}?tab=build`, "Build of version 2", "build log");
  await check(`${project}?tab=models`, "Every other model", "models");
  await check(`${project}?tab=secrets`, "MAIL_TOKEN", "environment");
  await check(`${project}?tab=hosts`, "Allowed hosts", "hosts");
  await check(`${project}?tab=files&file=pyproject.toml`, "requires-python", "files");
  await check(`${project}?tab=versions`, "# changed", "versions");
  await check(`${project}?tab=runs`, name, "runs");
  await openPage(page, project);
  await page.getByRole("button", { name: "Delete project" }).click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await checkAccessibility(page, "delete");
  await check(`/runs/${runId}?view=log`, "Looking up bees", "run: log and refused host");
  await check(`/runs/${runId}?view=input`, "Project version 2", "run: inputs and configuration");
});
