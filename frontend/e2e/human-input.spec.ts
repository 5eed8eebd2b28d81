import type { Page } from "@playwright/test";

import { unique, type Api } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import type { Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

/** Starts a run whose second task asks a person, and waits until it does. */
async function askingRun(api: Api, provider: Provider): Promise<string> {
  await provider.script([
    { contains: "Shorter, please", reply: "Bees hum.", times: 1 },
    { contains: "Write a note", reply: "# Bees\n\nBees **hum** in the garden." },
    "Bees fly.",
  ]);
  const model = await api.model(provider.baseUrl);
  const yaml = `${twoTasks(model, unique("Review"))}    human_input: true\n`;
  const runId = await api.run(await api.workflow(yaml));
  await api.until(runId, "waiting");
  return runId;
}

async function unfold(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Answer", exact: true }).first().click();
}

const banner = (page: Page) => page.getByRole("region", { name: "Needs attention" });

test("a person approves what an agent proposes, and the crew goes on @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await askingRun(api, provider);
  await open(page, `/runs/${runId}?view=output`);

  await expect(banner(page)).toContainText("writer asks you to check draft");
  await expect(banner(page)).toContainText("Expires in");
  // Nothing is torn from under the reader: the form opens only when it is asked for.
  await expect(banner(page).locator(":focus")).toHaveCount(0);

  await unfold(page);
  await expect(banner(page).getByRole("heading", { name: "Bees" })).toBeVisible();
  await banner(page).getByRole("button", { name: "Approve", exact: true }).click();

  await api.until(runId, "completed");
  await expect(banner(page)).toHaveCount(0);
  await expect(page.getByRole("tabpanel").getByRole("heading", { name: "Bees" })).toBeVisible();
});

test("a person sends an output back, and the agent hears why", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await askingRun(api, provider);
  await open(page, `/runs/${runId}?view=output`);
  await unfold(page);

  const send = banner(page).getByRole("button", { name: "Send back" });
  const feedback = banner(page).getByLabel("Feedback for writer");
  await send.click();
  await expect(banner(page).getByText("Say what should change.")).toBeVisible();
  await expect(feedback).toBeFocused();

  await feedback.fill("Shorter, please: two words.");
  await send.click();

  // The agent tries again and asks again, with the other text.
  await expect(banner(page).getByRole("button", { name: "Answer", exact: true })).toBeVisible();
  await expect(banner(page)).toContainText("Bees hum.");
  const sent = JSON.stringify(await provider.requests());
  expect(sent).toContain("Shorter, please: two words.");

  await unfold(page);
  await expect(banner(page).getByLabel("Feedback for writer")).toHaveValue("");
  await banner(page).getByRole("button", { name: "Approve", exact: true }).click();
  await api.until(runId, "completed");
  await expect(page.getByRole("tabpanel").getByText("Bees hum.").first()).toBeVisible();
});

test("a person puts an own text in place of the agent's", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await askingRun(api, provider);
  await open(page, `/runs/${runId}?view=output`);
  await unfold(page);

  await banner(page).getByRole("button", { name: "Edit and approve" }).click();
  const own = banner(page).getByLabel("The output to take instead");
  await expect(own).toHaveValue(/Bees \*\*hum\*\* in the garden\./);
  await own.fill("Bees sleep.");
  await banner(page).getByRole("button", { name: "Approve this text" }).click();

  await api.until(runId, "completed");
  await expect(page.getByRole("tabpanel").getByText("Bees sleep.").first()).toBeVisible();
});

test("a rejected output fails the run, which may be retried", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await askingRun(api, provider);
  await open(page, `/runs/${runId}?view=output`);
  await unfold(page);

  await banner(page).getByLabel("Feedback for writer").fill("Off topic.");
  await banner(page).getByRole("button", { name: "Reject" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Reject the output of draft?" });
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();

  await expect(banner(page)).toContainText("Failed in draft");
  await expect(banner(page)).toContainText("Off topic.");

  await banner(page).getByRole("button", { name: "Resume" }).click();
  await expect(banner(page)).toContainText("writer asks you to check draft");
});

test("a question that another person answers leaves the page", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await askingRun(api, provider);
  await open(page, `/runs/${runId}?view=output`);
  await unfold(page);
  await banner(page).getByLabel("Feedback for writer").fill("I was about to say…");

  const { approvals } = await api.call<{ approvals: { id: string }[] }>(
    "GET",
    `/api/v1/approvals?runId=${runId}`,
  );
  await api.call("POST", `/api/v1/approvals/${approvals[0]?.id}/resolve`, { action: "approve" });

  await expect(banner(page).getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);
  await expect(page.getByText("The result will be here")).toHaveCount(0);
});
