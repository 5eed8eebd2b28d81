import { uniqueName } from "./api";
import { everyType, twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";

interface StartedRun {
  run: {
    inputs: Record<string, unknown>;
    budget: unknown;
    metadata: unknown;
    workflowVersion: number;
  };
}

test("validates every type of input and starts one run @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.slow();
  const id = await api.createWorkflow(
    everyType(await api.createModel(provider.baseUrl), uniqueName("typed")),
  );
  await openPage(page, `/workflows/${id}/run`);
  await expect(page.getByText("Complete 3 inputs.")).toBeVisible();
  await expect(page.getByText("At least 2 model calls.")).toBeVisible();

  await page.getByLabel("count").fill("many");
  await page.getByLabel("ratio").fill("1,5");
  await page.getByLabel("Model calls").fill("0");
  const start = page.getByRole("button", { name: "Start run" });
  await start.click();

  await expect(page.getByLabel("topic")).toBeFocused();
  await expect(page.getByLabel("topic")).toHaveAccessibleDescription(
    "What it is about. This is required.",
  );
  await expect(page.getByLabel("count")).toHaveAccessibleDescription("Enter a number, such as 12.");
  await expect(page.getByLabel("ratio")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("tone")).toHaveAccessibleDescription("This is required.");
  await expect(page.getByText("Enter a number greater than 0.")).toBeVisible();

  await page.getByLabel("topic").fill("bees");
  await page.getByLabel("count").fill("3");
  await page.getByLabel("ratio").fill("0.5");
  await page.getByLabel("tone").selectOption("dry");
  await page.getByLabel("publish").uncheck();
  await page.getByLabel("Model calls").fill("20");
  await page.getByLabel("Cost").fill("0.10");
  await page.getByText("Advanced").click();
  await page.getByRole("button", { name: "Add row" }).click();
  await page.getByLabel("Key 1").fill("ticket");
  await page.getByLabel("Value 1").fill("T-42");
  await expect(page.getByText("Ready to start.")).toBeVisible();
  await expect(page.getByText("Budget: cost 0.10, 20 model calls.")).toBeVisible();
  await start.dblclick();

  await expect(page).toHaveURL(/\/runs\/run_/);
  const runId = /run_[0-9a-f]+/.exec(page.url())?.[0] ?? "";
  const { run } = await api.call<StartedRun>("GET", `/api/v1/runs/${runId}`);
  expect(run.inputs).toEqual({
    topic: "bees",
    text: "A few sentences.",
    count: 3,
    ratio: 0.5,
    tone: "dry",
    level: 2,
    publish: false,
  });
  expect(run.budget).toMatchObject({ maxCost: "0.10", maxLlmCalls: 20 });
  expect(run.metadata).toEqual({ ticket: "T-42" });
  const { runs } = await api.call<{ runs: unknown[] }>("GET", `/api/v1/runs?workflowId=${id}`);
  expect(runs).toHaveLength(1);
});

test("keeps the inputs between form and JSON, unless the form cannot show them", async ({
  signedIn: page,
  api,
  provider,
  browserErrors,
}) => {
  test.slow();
  browserErrors.allow(/status of 422/);
  const id = await api.createWorkflow(
    everyType(await api.createModel(provider.baseUrl), uniqueName("json")),
  );
  await openPage(page, `/workflows/${id}/run`);
  await page.getByLabel("topic").fill("bees");
  await page.getByText("JSON", { exact: true }).click();
  const json = page.getByLabel("Inputs as JSON");
  expect(JSON.parse(await json.inputValue())).toEqual({
    topic: "bees",
    text: "A few sentences.",
    count: null,
    ratio: null,
    tone: null,
    level: 2,
    publish: true,
  });

  await json.fill('{"topic": "tea", "publish": "yes"}');
  await page.getByText("Form", { exact: true }).click();
  await expect(page.getByText("“publish” must be true or false.")).toBeVisible();
  await json.fill("{");
  await page.getByText("Form", { exact: true }).click();
  await expect(page.getByText(/Invalid JSON/)).toBeVisible();
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page.getByText(/Invalid JSON/)).toBeVisible();

  await json.fill('{"topic": "tea", "count": "3", "tone": "dry"}');
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page.getByText("`count` must be a whole number.")).toBeVisible();
  await json.fill('{"topic": "tea", "count": 3, "tone": "dry"}');
  await page.getByText("Form", { exact: true }).click();
  await expect(page.getByLabel("topic")).toHaveValue("tea");
  await expect(page.getByLabel("count")).toHaveValue("3");
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page).toHaveURL(/\/runs\/run_/);
});

test("shows a server error at its field", async ({
  signedIn: page,
  api,
  provider,
  browserErrors,
}) => {
  browserErrors.allow(/status of 422/);
  const id = await api.createWorkflow(
    everyType(await api.createModel(provider.baseUrl), uniqueName("refused")),
  );
  await openPage(page, `/workflows/${id}/run`);
  // Only the server rejects control characters.
  await page.getByLabel("topic").fill("be\u0007es");
  await page.getByLabel("count").fill("3");
  await page.getByLabel("tone").selectOption("calm");
  await page.getByRole("button", { name: "Start run" }).click();

  await expect(page.getByLabel("topic")).toBeFocused();
  await expect(page.getByLabel("topic")).toHaveAccessibleDescription(
    /`topic` contains a control character/,
  );
  await expect(page.getByRole("alert")).toContainText("They are marked above");
});

test("fills the form with earlier inputs, from the URL and from the list", async ({
  signedIn: page,
  api,
  provider,
}) => {
  test.slow();
  const model = await api.createModel(provider.baseUrl);
  const name = uniqueName("repeated");
  const removedInput = `  gone:\n    type: string\n    default: x\n`;
  const id = await api.createWorkflow(everyType(model, name, removedInput));
  const commonInputs = { count: 1, tone: "calm" };
  const first = await api.startRun(id, { ...commonInputs, topic: "bees" });
  await api.startRun(id, { ...commonInputs, topic: "tea", publish: false });
  await api.call("PUT", `/api/v1/workflows/${id}`, { workflow: { yaml: everyType(model, name) } });

  await openPage(page, `/workflows/${id}/run?from=${first}`);
  await expect(page.getByLabel("topic")).toHaveValue("bees");
  await expect(page.getByText("No longer in this version: gone.")).toBeVisible();
  await page.getByRole("button", { name: "Previous inputs" }).click();
  const dialog = page.getByRole("dialog", { name: "Previous inputs" });
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  await dialog.getByRole("button", { name: /topic: tea/ }).click();
  await expect(page.getByLabel("topic")).toHaveValue("tea");
  await expect(page.getByLabel("publish")).not.toBeChecked();

  await openPage(page, `/workflows/${id}/run?version=1`);
  await expect(page.getByText("Version 1 ·")).toBeVisible();
  await expect(page.getByLabel("gone")).toHaveValue("x");
});

test("reports an unknown model before and after starting the run", async ({
  signedIn: page,
  api,
  browserErrors,
}) => {
  browserErrors.allow(/status of (404|422)/);
  const id = await api.createWorkflow(twoTasks("no-such-model", uniqueName("modelless")));
  await openPage(page, `/workflows/${id}/run`);
  const models = page.getByRole("list", { name: "Models" });
  await expect(models).toContainText("no-such-model");
  await expect(models).toContainText("Used by researcher, writer");
  await expect(page.getByText("Cannot start")).toBeVisible();
  await expect(models.getByRole("link", { name: "Providers & models" })).toBeVisible();

  await page.getByRole("button", { name: "Start run" }).click();
  await expect(page.getByRole("alert")).toContainText("no-such-model");
  await expect(page.getByRole("link", { name: "Go to providers & models" })).toBeVisible();

  await openPage(page, "/workflows/wf_none/run");
  await expect(page.getByRole("alert")).toContainText("It may have been deleted");
});
