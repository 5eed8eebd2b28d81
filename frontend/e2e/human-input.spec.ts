import type { Page } from "@playwright/test";

import { uniqueName, type Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import type { Provider } from "./provider";
import { expectAccessibleInBothThemes } from "./themes";

/** Starts a run whose second task needs approval, and waits until it is requested. */
async function startRunWithApproval(api: Api, provider: Provider): Promise<string> {
  await provider.script([
    { contains: "Shorter, please", reply: "Bees hum.", times: 1 },
    { contains: "Write a note", reply: "# Bees\n\nBees **hum** in the garden." },
    "Bees fly.",
  ]);
  const model = await api.createModel(provider.baseUrl);
  const yaml = `${twoTasks(model, uniqueName("Review"))}    human_input: true\n`;
  const runId = await api.startRun(await api.createWorkflow(yaml));
  await api.waitForStatus(runId, "waiting");
  return runId;
}

async function openReview(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Review", exact: true }).first().click();
}

const banner = (page: Page) => page.getByRole("region", { name: "Needs attention" });

test("approving an output continues the run @phone", async ({ signedIn: page, api, provider }) => {
  const runId = await startRunWithApproval(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);

  await expect(banner(page)).toContainText("writer requests approval for draft");
  await expect(banner(page)).toContainText("Expires in");
  // The form stays collapsed and does not take the focus.
  await expect(banner(page).locator(":focus")).toHaveCount(0);

  await openReview(page);
  await expect(banner(page).getByRole("heading", { name: "Bees" })).toBeVisible();
  await banner(page).getByRole("button", { name: "Approve", exact: true }).click();

  await api.waitForStatus(runId, "completed");
  await expect(banner(page)).toHaveCount(0);
  await expect(page.getByRole("tabpanel").getByRole("heading", { name: "Bees" })).toBeVisible();
});

test("sending an output back passes the feedback to the agent", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await startRunWithApproval(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);
  await openReview(page);

  const send = banner(page).getByRole("button", { name: "Send back" });
  const feedback = banner(page).getByLabel("Feedback for writer");
  await send.click();
  await expect(banner(page).getByText("Describe what should change.")).toBeVisible();
  await expect(feedback).toBeFocused();

  await feedback.fill("Shorter, please: two words.");
  await send.click();

  // The agent revises its output and requests approval again.
  await expect(banner(page).getByRole("button", { name: "Review", exact: true })).toBeVisible();
  await expect(banner(page)).toContainText("Bees hum.");
  const sent = JSON.stringify(await provider.getRequests());
  expect(sent).toContain("Shorter, please: two words.");

  await openReview(page);
  await expect(banner(page).getByLabel("Feedback for writer")).toHaveValue("");
  await banner(page).getByRole("button", { name: "Approve", exact: true }).click();
  await api.waitForStatus(runId, "completed");
  await expect(page.getByRole("tabpanel").getByText("Bees hum.").first()).toBeVisible();
});

test("an edited output replaces the agent's output", async ({ signedIn: page, api, provider }) => {
  const runId = await startRunWithApproval(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);
  await openReview(page);

  await banner(page).getByRole("button", { name: "Edit and approve" }).click();
  const editedOutput = banner(page).getByLabel("Edited output");
  await expect(editedOutput).toHaveValue(/Bees \*\*hum\*\* in the garden\./);
  await editedOutput.fill("Bees sleep.");
  await banner(page).getByRole("button", { name: "Approve edited output" }).click();

  await api.waitForStatus(runId, "completed");
  await expect(page.getByRole("tabpanel").getByText("Bees sleep.").first()).toBeVisible();
});

test("rejecting an output fails the run, which can be resumed", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await startRunWithApproval(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);
  await openReview(page);

  await banner(page).getByLabel("Feedback for writer").fill("Off topic.");
  await banner(page).getByRole("button", { name: "Reject" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Reject the output of draft?" });
  await expectAccessibleInBothThemes(page);
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();

  await expect(banner(page)).toContainText("Failed in draft");
  await expect(banner(page)).toContainText("Off topic.");

  await banner(page).getByRole("button", { name: "Resume" }).click();
  await expect(banner(page)).toContainText("writer requests approval for draft");
});

test("an approval answered elsewhere disappears from the page", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const runId = await startRunWithApproval(api, provider);
  await openPage(page, `/runs/${runId}?view=output`);
  await openReview(page);
  await banner(page).getByLabel("Feedback for writer").fill("I was about to say…");

  const { approvals } = await api.call<{ approvals: { id: string }[] }>(
    "GET",
    `/api/v1/approvals?runId=${runId}`,
  );
  await api.call("POST", `/api/v1/approvals/${approvals[0]?.id}/resolve`, { action: "approve" });

  await expect(banner(page).getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);
  await expect(page.getByText("The result appears here")).toHaveCount(0);
});
