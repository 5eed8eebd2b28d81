import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { unique, type Api } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { hold, type Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

const HOSTILE = `# Bees

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

async function finished(api: Api, provider: Provider, extra = ""): Promise<string> {
  const model = await api.model(provider.baseUrl);
  const runId = await api.run(await api.workflow(twoTasks(model, unique("Views")) + extra));
  await api.until(runId, "completed");
  return runId;
}

const panel = (page: Page) => page.getByRole("tabpanel");

test("a hostile output runs nothing and calls nobody @phone", async ({
  signedIn: page,
  api,
  provider,
  baseURL,
}) => {
  await provider.script([HOSTILE]);
  const runId = await finished(api, provider);
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(baseURL ?? "") && !request.url().startsWith("blob:")) {
      foreign.push(request.url());
    }
  });

  await open(page, `/runs/${runId}?view=output`);
  await expect(panel(page).getByRole("heading", { name: "Bees" })).toBeVisible();
  await expect(panel(page).getByRole("table")).toBeVisible();

  await panel(page).getByText("Press me").click();
  await expect(panel(page).getByRole("link", { name: "Press me" })).toHaveCount(0);
  await expect(panel(page).locator("img, script, iframe")).toHaveCount(0);
  await expect(panel(page).getByRole("link", { name: /Pixel/ })).toHaveAttribute(
    "href",
    "https://evil.example/pixel.png",
  );
  const good = panel(page).getByRole("link", { name: "A good page" });
  await expect(good).toHaveAttribute("rel", "noopener noreferrer nofollow");
  await expect(good).toHaveAttribute("target", "_blank");
  expect(await page.evaluate(() => "harmed" in window)).toBe(false);
  expect(foreign).toEqual([]);
  await expectAccessibleInBothThemes(page);

  await page.getByText("Raw", { exact: true }).click();
  await expect(panel(page).getByText("<script>window.harmed")).toBeVisible();
  expect(await page.evaluate(() => "harmed" in window)).toBe(false);
});

test("structured output is a tree; outputs and files can be taken away", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([
    { contains: "Write a note", reply: JSON.stringify({ note: "Bees", legs: { count: 6 } }) },
    "Bees fly.",
  ]);
  const runId = await finished(api, provider, "    output_file: note.json\n");
  await open(page, `/runs/${runId}?view=output`);

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

  const whole = page.waitForEvent("download");
  await panel(page).getByRole("button", { name: "Download", exact: true }).click();
  await page.getByRole("menuitem", { name: "Markdown, all outputs" }).click();
  const text = readFileSync(await (await whole).path(), "utf8");
  expect(text).toContain("## research (researcher)\n\nBees fly.");
});

test("outputs of tasks come while the run is at work", async ({
  signedIn: page,
  api,
  provider,
}) => {
  await provider.script([
    {
      contains: "Write a note",
      reply: hold("note", "A note."),
    },
    "Bees fly.",
  ]);
  const model = await api.model(provider.baseUrl);
  const runId = await api.run(await api.workflow(twoTasks(model, unique("Live"))));
  await open(page, `/runs/${runId}?view=output`);

  await expect(
    panel(page).getByText("The result will be here when the run completes"),
  ).toBeVisible();
  await expect(panel(page).getByText("Bees fly.")).toBeVisible();

  await provider.release("note");
  await expect(panel(page).getByText("A note.").first()).toBeVisible();
  await expect(panel(page).getByText("The result will be here")).toHaveCount(0);
});

test("the graph shows states, and picking a task shows its steps @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await finished(api, provider);
  await open(page, `/runs/${runId}?view=graph`);

  const outline = panel(page).getByRole("list", { name: "Outline of the workflow" });
  await expect(outline.getByText("Completed")).toHaveCount(2);

  await outline.getByRole("button", { name: /draft/ }).click();
  await expect(page).toHaveURL(/q=draft/);
  await expect(page).toHaveURL(/view=timeline|\/runs\/[^?]+\?q=/);
});

test("inputs, definition and facts of a run are there to be read @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const model = await api.model(provider.baseUrl);
  const runId = await api.run(await api.workflow(twoTasks(model, unique("Facts"))), {
    topic: "wasps",
  });
  await api.until(runId, "completed");
  await open(page, `/runs/${runId}?view=input`);

  await expect(panel(page).getByText("wasps")).toBeVisible();
  await expect(panel(page).getByLabel("Workflow as YAML")).toContainText("expected_output: A note");
  await expect(panel(page).getByRole("link", { name: "Open in the editor" })).toBeVisible();
  await expect(panel(page).getByText("2 calls")).toBeVisible();
  await expect(
    panel(page)
      .getByText(/crewai/i)
      .first(),
  ).toBeVisible();
  await expect(panel(page).getByText(runId)).toBeVisible();
});
