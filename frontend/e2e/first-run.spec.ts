import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

import { expect, signIn, test } from "./fixtures";

const FRONTEND = fileURLToPath(new URL("..", import.meta.url));
const KEY = "first-run-key-of-the-browser-tests";
const MAX_CLICKS = 4;
/** The time is printed, not asserted: it depends on the machine. */
const MAX_WAIT_MS = 75_000;

let product: ChildProcess;
let base: string;

test.describe.configure({ mode: "serial", timeout: 180_000 });

// A separate product with an empty data folder.
test.beforeAll(async () => {
  test.setTimeout(120_000);
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  product = spawn("node", ["e2e/serve.mjs"], {
    cwd: FRONTEND,
    env: { ...process.env, API_PORT: String(port), API_KEY: KEY },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await waitUntilReady(`${base}/health/ready`);
});

test.afterAll(async () => {
  const exited = once(product, "exit");
  product.kill("SIGTERM");
  await exited;
});

test("a new installation completes a run on the local model within four clicks and a minute", async ({
  page,
}) => {
  await page.addInitScript(() => {
    const counter = window as unknown as { clicks: number };
    counter.clicks = Number(sessionStorage.getItem("test:clicks") ?? 0);
    document.addEventListener(
      "click",
      (event) => {
        // Pressing Enter in a form also fires a click on its button, with `detail` 0.
        if (event.isTrusted && event.detail > 0) counter.clicks += 1;
        sessionStorage.setItem("test:clicks", String(counter.clicks));
      },
      true,
    );
  });
  const startedAt = Date.now();
  await page.goto(base);
  await page.getByLabel("API key", { exact: true }).fill(KEY);
  await page.getByRole("button", { name: "Sign in" }).click();
  const demo = page.getByRole("button", { name: "Run the demo" });
  await expect(demo).toBeEnabled();
  await demo.click();

  await expect(page).toHaveURL(/\/runs\/run_/, { timeout: MAX_WAIT_MS });
  await expect(page.locator("header").getByText("Completed", { exact: true })).toBeVisible({
    timeout: MAX_WAIT_MS,
  });

  const elapsedMs = Date.now() - startedAt;
  const clicks = await page.evaluate(() => (window as unknown as { clicks: number }).clicks);
  console.log(`first run: ${clicks} clicks, ${(elapsedMs / 1000).toFixed(1)} s`);
  expect(clicks).toBeLessThanOrEqual(MAX_CLICKS);
});

test("the run used the model and is shown in the workflow list", async ({ page }) => {
  const response = await fetch(`${base}/api/v1/runs`, {
    headers: { Authorization: `Bearer ${KEY}` },
  });
  const { runs } = (await response.json()) as {
    runs: { usage: { llmCalls: number; completionTokens: number }; workflowName: string }[];
  };
  expect(runs).toHaveLength(1);
  expect(runs[0]?.workflowName).toBe("Daily brief");
  expect(runs[0]?.usage.llmCalls).toBeGreaterThanOrEqual(2);
  expect(runs[0]?.usage.completionTokens).toBeGreaterThan(20);

  await signIn(page, base, KEY);
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

async function waitUntilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 900; attempt += 1) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not respond`);
}
