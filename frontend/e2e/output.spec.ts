import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { uniqueName, type Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { gateReply, type Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

const MALICIOUS_OUTPUT = `# Bees

<script>window.harmed = "script";</script>
<img src="x" onerror="window.harmed = 'handler'">
<iframe src="https://evil.example/frame"></iframe>

[Press me](javascript:window.harmed='link') and [me](data:text/html,<script>1</script>)

![Pixel](https://evil.example/pixel.png)

[A good page](https://example.org/bees)

##### Numbers

| Bee | Legs |
| --- | ---: |
| Queen | 6 |

- [x] Found
- [ ] Counted
`;

async function runToCompletion(api: Api, provider: Provider, extra = ""): Promise<string> {
  const model = await api.createModel(provider.baseUrl);
  const runId = await api.startRun(
    await api.createWorkflow(twoTasks(model, uniqueName("Views")) + extra),
  );
  await api.waitForStatus(runId, "completed");
  return runId;
}

const panel = (page: Page) => page.getByRole("tabpanel");

test("malicious output runs no scripts and makes no requests @phone", async ({
  signedIn: page,
  api,
  provider,
  baseURL,
}) => {
  await provider.script([MALICIOUS_OUTPUT]);
  const runId = await runToCompletion(api, provider);
  const externalRequests: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(baseURL ?? "") && !request.url().startsWith("blob:")) {
      externalRequests.push(request.url());
    }
  });

  await openPage(page, `/runs/${runId}?view=output`);
  await expect(panel(page).getByRole("heading", { name: "Bees" })).toBeVisible();
  await expect(panel(page).getByRole("table")).toBeVisible();

  await panel(page).getByText("Press me").click();
  await expect(panel(page).getByRole("link", { name: "Press me" })).toHaveCount(0);
  await expect(panel(page).locator("img, script, iframe")).toHaveCount(0);
  await expect(panel(page).getByRole("link", { name: /Pixel/ })).toHaveAttribute(
    "href",
    "https://evil.example/pixel.png",
  );
  const safeLink = panel(page).getByRole("link", { name: "A good page" });
  await expect(safeLink).toHaveAttribute("rel", "noopener noreferrer nofollow");
  await expect(safeLink).toHaveAttribute("target", "_blank");
  expect(await page.evaluate(() => "harmed" in window)).toBe(false);
  expect(externalRequests).toEqual([]);
  await expectAccessibleInBothThemes(page);

  await page.getByText("Raw", { exact: true }).click();
  await expect(panel(page).getByText("<script>window.harmed")).toBeVisible();
  expect(await page.evaluate(() => "harmed" in window)).toBe(false);
});

test("JSON output is shown as a tree; outputs and files can be downloaded", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([
    { contains: "Write a note", reply: JSON.stringify({ note: "Bees", legs: { count: 6 } }) },
    "Bees fly.",
  ]);
  const runId = await runToCompletion(api, provider, "    output_file: note.json\n");
  await openPage(page, `/runs/${runId}?view=output`);

  const legs = panel(page).getByRole("button", { name: "legs: {1 field}" });
  await expect(legs).toHaveAttribute("aria-expanded", "true");
  await legs.click();
  await expect(panel(page).getByText("count:")).toBeHidden();
  await panel(page)
    .getByRole("button", { name: /research/ })
    .first()
    .click();
  await expect(panel(page).getByText("Bees fly.").last()).toBeVisible();
  await expectAccessibleInBothThemes(page);

  const file = page.waitForEvent("download");
  await panel(page).getByRole("button", { name: "Download note.json" }).click();
  expect((await file).suggestedFilename()).toBe("note.json");
  expect(readFileSync(await (await file).path(), "utf8")).toContain('"legs"');

  const download = page.waitForEvent("download");
  await panel(page).getByRole("button", { name: "Download", exact: true }).click();
  await page.getByRole("menuitem", { name: "Markdown (all outputs)" }).click();
  const text = readFileSync(await (await download).path(), "utf8");
  expect(text).toContain("## research (researcher)\n\nBees fly.");
});

test("task outputs appear while the run is active", async ({ signedIn: page, api, provider }) => {
  await provider.script([
    {
      contains: "Write a note",
      reply: gateReply("note", "A note."),
    },
    "Bees fly.",
  ]);
  const model = await api.createModel(provider.baseUrl);
  const runId = await api.startRun(await api.createWorkflow(twoTasks(model, uniqueName("Live"))));
  await openPage(page, `/runs/${runId}?view=output`);

  await expect(
    panel(page).getByText("The result appears here when the run completes"),
  ).toBeVisible();
  await expect(panel(page).getByText("Bees fly.")).toBeVisible();

  await provider.releaseGate("note");
  await expect(panel(page).getByText("A note.").first()).toBeVisible();
  await expect(panel(page).getByText("The result appears here")).toHaveCount(0);
});

test("the graph shows task states and selecting a task filters the timeline @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await runToCompletion(api, provider);
  await openPage(page, `/runs/${runId}?view=graph`);

  const outline = panel(page).getByRole("list", { name: "Workflow outline" });
  await expect(outline.getByText("Completed")).toHaveCount(2);

  await outline.getByRole("button", { name: /draft/ }).click();
  await expect(page).toHaveURL(/q=draft/);
  await expect(page).toHaveURL(/view=timeline|\/runs\/[^?]+\?q=/);
});

test("the inputs, definition and properties of a run are shown @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const runId = await api.startRun(
    await api.createWorkflow(twoTasks(model, uniqueName("Config"))),
    {
      topic: "wasps",
    },
  );
  await api.waitForStatus(runId, "completed");
  await openPage(page, `/runs/${runId}?view=input`);

  await expect(panel(page).getByText("wasps")).toBeVisible();
  await expect(panel(page).getByLabel("Workflow as YAML")).toContainText("expected_output: A note");
  await expect(panel(page).getByRole("link", { name: "Open in editor" })).toBeVisible();
  await expect(panel(page).getByText("2 calls")).toBeVisible();
  await expect(
    panel(page)
      .getByText(/crewai/i)
      .first(),
  ).toBeVisible();
  await expect(panel(page).getByText(runId)).toBeVisible();
});
