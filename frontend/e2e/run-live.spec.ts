import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";

import type { Page } from "@playwright/test";

import { unique, type Api } from "./api";
import { twoTasks } from "./documents";
import { expect, open, test } from "./fixtures";
import { hold } from "./provider";

interface Told {
  type: string;
  seq: number;
  data: { callId?: string; toolCallId?: string };
}

/** A wire between the browser and the product that can be cut. */
class Wire {
  readonly url: string;
  private readonly server: Server;
  private readonly sockets: Set<Socket>;
  down = false;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.server = server;
    this.sockets = sockets;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async to(target: string): Promise<Wire> {
    const sockets = new Set<Socket>();
    const server = createServer((inner) => {
      if (wire.down) return inner.destroy();
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
    const wire = new Wire(server, sockets, typeof address === "object" ? (address?.port ?? 0) : 0);
    return wire;
  }

  cut(): void {
    this.down = true;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}

const rows = (page: Page) =>
  page
    .getByRole("treeitem")
    .evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.row ?? ""));

/** The calls and tools that the API knows of, by the ids of their rows. */
async function stepsOf(api: Api, runId: string): Promise<string[]> {
  const { events } = await api.call<{ events: Told[] }>("GET", `/api/v1/runs/${runId}/events`);
  return events.flatMap(({ type, data }) => {
    if (type === "llm.started") return [`llm:${data.callId}`];
    return type === "tool.started" ? [`tool:${data.toolCallId}`] : [];
  });
}

test("a stream that breaks off is taken up again: nothing is missing, nothing is twice", async ({
  signedIn: page,
  api,
  provider,
  baseURL,
  complaints,
}) => {
  // The browser itself tells of the wire that this test cuts.
  complaints.allow(/Failed to load resource: net::ERR_/);
  const wire = await Wire.to(baseURL ?? "");
  const model = await api.model(provider.baseUrl);
  const sum = { kind: "CallTools", calls: [["calculator", { expression: "2+2" }]] };
  await provider.script([
    { contains: "Find three", reply: hold("first", sum), times: 1 },
    { contains: "Find three", reply: sum, times: 1 },
    { contains: "Find three", reply: "Three facts.", times: 1 },
    { reply: hold("last", { kind: "Say", text: "A note on bees." }) },
  ]);
  const yaml = twoTasks(model, unique("Broken stream")).replace(
    `    llm: ${model}`,
    `    llm: ${model}\n    tools: [calculator]`,
  );
  const runId = await api.run(await api.workflow(yaml));
  await provider.calls(1);

  await open(page, `${wire.url}/runs/${runId}`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("treeitem", { name: /LLM call/ })).toHaveCount(1);

  wire.cut();
  await expect(page.getByText("Reconnecting…")).toBeVisible();
  await provider.release("first");
  await provider.calls(4);
  wire.down = false;

  await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.getByRole("treeitem", { name: /LLM call/ })).toHaveCount(4);
  await provider.release("last");
  await expect(page.getByText("Completed", { exact: true }).first()).toBeVisible();

  const shown = await rows(page);
  const steps = shown.filter((id) => /^(llm|tool):/.test(id));
  expect(new Set(shown).size).toBe(shown.length);
  expect(steps).toEqual(await stepsOf(api, runId));
  wire.close();
});

test("a run is watched while it writes, step by step @phone", async ({
  signedIn: page,
  api,
  provider,
  isMobile,
}) => {
  const model = await api.model(provider.baseUrl);
  const words = Array.from({ length: 2_000 }, (_, index) => `bee${index} `);
  await provider.script([
    { contains: "Find three", reply: "Three facts." },
    { reply: { kind: "Say", chunks: words, chunk_delay: 0.05 } },
  ]);
  const name = unique("Watched");
  const runId = await api.run(await api.workflow(twoTasks(model, name)));
  await open(page, `/runs/${runId}`);

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  const writing = page.getByRole("treeitem", { name: /LLM call.*running.*bee\d/ });
  await expect(writing).toBeVisible();
  await expect(page).toHaveTitle(new RegExp(`● ${name} – running`));
  await expect(page.getByText("1/2", { exact: true })).toBeVisible();

  // Picking a row shows what is written in it, letter by letter.
  await writing.click();
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
    await expect(writing).toBeVisible();
  } else {
    await expect(page.getByRole("button", { name: "Follow" })).toHaveAttribute(
      "aria-pressed",
      "false",
    );
    await page.keyboard.press("f");
    await expect(page.getByRole("heading", { name: "At work now" })).toBeVisible();
    await page.keyboard.press("k");
    await page.keyboard.press("j");
    await expect(page.getByRole("treeitem", { selected: true })).toHaveCount(1);
  }

  await page.getByRole("searchbox", { name: "Filter steps" }).fill("find three");
  await expect(page.getByRole("treeitem", { name: /writer/ })).toHaveCount(0);
  await expect(page).toHaveURL(/q=/);
  await page.getByRole("searchbox", { name: "Filter steps" }).fill("no such words");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(writing).toBeVisible();
  await api.call("POST", `/api/v1/runs/${runId}/stop`, { mode: "now" });
  await expect(page).toHaveTitle(new RegExp(`^${name} – stopped`));
});
