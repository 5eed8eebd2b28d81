import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";

import type { Page } from "@playwright/test";

import { uniqueName, type Api } from "./api";
import { twoTasks } from "./documents.mjs";
import { expect, openPage, test } from "./fixtures";
import { gateReply } from "./provider";

interface StoredEvent {
  type: string;
  seq: number;
  data: { callId?: string; toolCallId?: string };
}

/** A TCP proxy between the browser and the server whose connections can be cut. */
class TcpProxy {
  readonly url: string;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;
  isDown = false;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.server = server;
    this.sockets = sockets;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(target: string): Promise<TcpProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((inner) => {
      if (proxy.isDown) return inner.destroy();
      const outer = connect(Number(new URL(target).port), "127.0.0.1");
      for (const socket of [inner, outer]) {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        socket.on("error", () => socket.destroy());
      }
      inner.pipe(outer).pipe(inner);
      return inner;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const proxy = new TcpProxy(
      server,
      sockets,
      typeof address === "object" ? (address?.port ?? 0) : 0,
    );
    return proxy;
  }

  cut(): void {
    this.isDown = true;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}

const rowIds = (page: Page) =>
  page
    .getByRole("treeitem")
    .evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.row ?? ""));

/** The row ids of the model and tool calls, according to the API. */
async function stepIds(api: Api, runId: string): Promise<string[]> {
  const { events } = await api.call<{ events: StoredEvent[] }>(
    "GET",
    `/api/v1/runs/${runId}/events`,
  );
  return events.flatMap(({ type, data }) => {
    if (type === "llm.started") return [`llm:${data.callId}`];
    return type === "tool.started" ? [`tool:${data.toolCallId}`] : [];
  });
}

test("an interrupted stream resumes without missing or duplicate steps", async ({
  signedIn: page,
  api,
  provider,
  baseURL,
  browserErrors,
}) => {
  // The browser logs the connections this test cuts.
  browserErrors.allow(/Failed to load resource: net::ERR_/);
  const proxy = await TcpProxy.start(baseURL ?? "");
  const model = await api.createModel(provider.baseUrl);
  const sum = { kind: "CallTools", calls: [["calculator", { expression: "2+2" }]] };
  await provider.script([
    { contains: "Find three", reply: gateReply("first", sum), times: 1 },
    { contains: "Find three", reply: sum, times: 1 },
    { contains: "Find three", reply: "Three facts.", times: 1 },
    { reply: gateReply("last", { kind: "Say", text: "A note on bees." }) },
  ]);
  const yaml = twoTasks(model, uniqueName("Interrupted stream")).replace(
    `    llm: ${model}`,
    `    llm: ${model}\n    tools: [calculator]`,
  );
  const runId = await api.startRun(await api.createWorkflow(yaml));
  await provider.waitForCalls(1);

  await openPage(page, `${proxy.url}/runs/${runId}`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("treeitem", { name: /LLM call/ })).toHaveCount(1);

  proxy.cut();
  await expect(page.getByText("Reconnecting…")).toBeVisible();
  await provider.releaseGate("first");
  await provider.waitForCalls(4);
  proxy.isDown = false;

  await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.getByRole("treeitem", { name: /LLM call/ })).toHaveCount(4);
  await provider.releaseGate("last");
  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();

  const shown = await rowIds(page);
  const steps = shown.filter((id) => /^(llm|tool):/.test(id));
  expect(new Set(shown).size).toBe(shown.length);
  expect(steps).toEqual(await stepIds(api, runId));
  proxy.close();
});

test("a running step streams its output into the timeline and the details @phone", async ({
  signedIn: page,
  api,
  provider,
  isMobile,
}) => {
  const model = await api.createModel(provider.baseUrl);
  const words = Array.from({ length: 2_000 }, (_, index) => `bee${index} `);
  await provider.script([
    { contains: "Find three", reply: "Three facts." },
    { reply: { kind: "Say", chunks: words, chunk_delay: 0.05 } },
  ]);
  const name = uniqueName("Streaming");
  const runId = await api.startRun(await api.createWorkflow(twoTasks(model, name)));
  await openPage(page, `/runs/${runId}`);

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  const runningCall = page.getByRole("treeitem", { name: /LLM call.*running.*bee\d/ });
  await expect(runningCall).toBeVisible();
  await expect(page).toHaveTitle(new RegExp(`● ${name} – running`));
  await expect(page.getByText("1/2", { exact: true })).toBeVisible();

  // The details of the selected row stream its output.
  await runningCall.click();
  const details = page.getByRole("region", { name: "Details" });
  await expect(details.getByRole("heading", { name: /LLM call/ })).toBeVisible();
  const before = (await details.innerText()).length;
  await expect.poll(async () => (await details.innerText()).length).toBeGreaterThan(before + 50);
  await expect(page).toHaveURL(/span=llm/);

  await details.getByRole("tab", { name: "Input" }).click();
  await expect(details.getByText("Write a note on bees.")).toBeVisible();
  await details.getByRole("tab", { name: "Raw" }).click();
  await expect(details.getByText('"llm.started"')).toBeVisible();

  if (isMobile) {
    await page.goBack();
    await expect(runningCall).toBeVisible();
  } else {
    await expect(page.getByRole("button", { name: "Follow" })).toHaveAttribute(
      "aria-pressed",
      "false",
    );
    await page.keyboard.press("f");
    await expect(page.getByRole("heading", { name: "Running", exact: true })).toBeVisible();
    await page.keyboard.press("k");
    await page.keyboard.press("j");
    await expect(page.getByRole("treeitem", { selected: true })).toHaveCount(1);
  }

  await page.getByRole("searchbox", { name: "Filter steps" }).fill("find three");
  await expect(page.getByRole("treeitem", { name: /writer/ })).toHaveCount(0);
  await expect(page).toHaveURL(/q=/);
  await page.getByRole("searchbox", { name: "Filter steps" }).fill("no such words");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(runningCall).toBeVisible();
  await api.call("POST", `/api/v1/runs/${runId}/stop`, { mode: "now" });
  await expect(page).toHaveTitle(new RegExp(`^${name} – stopped`));
});
