import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

import { expect, test } from "./fixtures";

const FRONTEND = fileURLToPath(new URL("..", import.meta.url));
const KEY = "first-run-key-of-the-browser-tests";
const MOST_CLICKS = 4;
const MOST_MS = 60_000;

let product: ChildProcess;
let base: string;

test.describe.configure({ mode: "serial", timeout: 180_000 });

// A product of its own: nothing has ever run on its data folder.
test.beforeAll(async () => {
  test.setTimeout(120_000);
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  product = spawn("node", ["e2e/serve.mjs"], {
    cwd: FRONTEND,
    env: { ...process.env, API_PORT: String(port), API_KEY: KEY },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await ready(`${base}/health/ready`);
});

test.afterAll(async () => {
  const gone = once(product, "exit");
  product.kill("SIGTERM");
  await gone;
});

test("from nothing to a real run on the local model, in few clicks and within a minute", async ({
  page,
}) => {
  await page.addInitScript(() => {
    const counted = window as unknown as { clicks: number };
    counted.clicks = Number(sessionStorage.getItem("test:clicks") ?? 0);
    document.addEventListener(
      "click",
      (event) => {
        // Pressing Enter in a form clicks its button by itself; that is no click of a person's.
        if (event.isTrusted && event.detail > 0) counted.clicks += 1;
        sessionStorage.setItem("test:clicks", String(counted.clicks));
      },
      true,
    );
  });
  const begun = Date.now();
  await page.goto(base);
  await page.getByLabel("API key", { exact: true }).fill(KEY);
  await page.getByRole("button", { name: "Sign in" }).click();
  const demo = page.getByRole("button", { name: "Run the demo" });
  await expect(demo).toBeEnabled();
  await demo.click();

  await expect(page).toHaveURL(/\/runs\/run_/, { timeout: MOST_MS });
  await expect(page.locator("header").getByText("Completed", { exact: true })).toBeVisible({
    timeout: MOST_MS,
  });

  const took = Date.now() - begun;
  const clicks = await page.evaluate(() => (window as unknown as { clicks: number }).clicks);
  console.log(`first run: ${clicks} clicks, ${(took / 1000).toFixed(1)} s`);
  expect(clicks).toBeLessThanOrEqual(MOST_CLICKS);
  expect(took).toBeLessThanOrEqual(MOST_MS);
});

test("the model really wrote it, and the product no longer begins from nothing", async ({
  page,
}) => {
  const answer = await fetch(`${base}/api/v1/runs`, {
    headers: { Authorization: `Bearer ${KEY}` },
  });
  const { runs } = (await answer.json()) as {
    runs: { usage: { llmCalls: number; completionTokens: number }; workflowName: string }[];
  };
  expect(runs).toHaveLength(1);
  expect(runs[0]?.workflowName).toBe("Daily brief");
  expect(runs[0]?.usage.llmCalls).toBeGreaterThanOrEqual(2);
  expect(runs[0]?.usage.completionTokens).toBeGreaterThan(20);

  await page.addInitScript((key) => sessionStorage.setItem("crewai-runner:api-key", key), KEY);
  await page.goto(`${base}/workflows`);
  const row = page.getByRole("listitem").filter({ hasText: "Daily brief" });
  await expect(row.getByText("Completed", { exact: true })).toBeVisible();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function ready(url: string): Promise<void> {
  for (let tries = 0; tries < 900; tries += 1) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} never answered`);
}
