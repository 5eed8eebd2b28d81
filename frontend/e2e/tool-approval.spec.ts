/** Calls of tools that a person allows in the run page, with other arguments. */
import { twoTasks } from "./documents.mjs";
import { uniqueName } from "./api";
import { expect, openPage, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

test("edits the arguments of a tool's call and allows it @phone", async ({
  signedIn: page,
  api,
  provider,
}) => {
  const call = { kind: "CallTools", calls: [["calculator", { expression: "1 + 1" }]] };
  await provider.script([
    { contains: "Write a note", reply: call, times: 1 },
    { contains: "Write a note", reply: "It is counted." },
    "Three facts.",
  ]);
  const model = await api.createModel(provider.baseUrl);
  const yaml = twoTasks(model, uniqueName("asks")).replace(
    "    backstory: Brief.\n",
    "    backstory: Brief.\n    tools: [calculator]\n    tool_policy: {calculator: ask}\n",
  );
  const runId = await api.startRun(await api.createWorkflow(yaml));
  await openPage(page, `/runs/${runId}`);
  const banner = page.getByRole("region", { name: "Needs attention" });
  await expect(banner).toContainText("writer wants to call calculator", { timeout: 30_000 });
  await banner.getByRole("button", { name: "Review", exact: true }).first().click();

  const editor = banner.getByLabel("Arguments", { exact: true });
  await expect(editor).toHaveValue(/1 \+ 1/);
  await editor.fill('{"expression": ');
  await expect(banner.getByText(/This is not JSON/)).toBeVisible();
  await editor.fill('{"expression": "20 + 22"}');
  await expect(banner.getByLabel("Changed arguments")).toContainText("20 + 22");
  await expectAccessibleInBothThemes(page);
  await banner.getByRole("button", { name: "Allow with changes" }).click();

  await api.waitForStatus(runId, "completed");
  const { events } = await api.call<{ events: { type: string; data: Record<string, unknown> }[] }>(
    "GET",
    `/api/v1/runs/${runId}/events?limit=500`,
  );
  const results = events.filter(({ type }) => type === "tool.completed");
  expect(results.map(({ data }) => data.output)).toEqual(["42"]);
});
