import { availableParallelism } from "node:os";

import { defineConfig } from "@playwright/test";

const PORT = Number(process.env.E2E_PORT ?? 8123);
const MEASURED = /run-performance\.spec\.ts/;
export const API_KEY = "e2e-key-of-the-browser-tests";

export const desktop = { viewport: { width: 1440, height: 900 }, colorScheme: "light" as const };
export const phone = {
  viewport: { width: 390, height: 844 },
  colorScheme: "dark" as const,
  hasTouch: true,
  isMobile: true,
};

// Replaces the list of Playwright, whose entries are therefore repeated as far as they concern these tests.
const DISABLED_FEATURES = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "LensOverlay",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
  // Pages and processes that a window with tabs prepares for its user: a quarter of the processor time.
  "SpareRendererForSitePerProcess",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxFullPopup",
  "WebUIOmniboxPopup",
];

export default defineConfig({
  testDir: "e2e",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // One more than cores: a test often waits for the product, and for the browser to draw.
  workers: Math.min(4, availableParallelism() + 1),
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  reporter: [["list"], ["./e2e/summary-reporter.mjs"]],
  projects: [
    { name: "desktop-light", use: desktop, testIgnore: MEASURED },
    { name: "phone-dark", use: phone, grep: /@phone/ },
    // Performance is measured after all other tests, so that they do not distort the times.
    {
      name: "measured",
      use: desktop,
      testMatch: MEASURED,
      dependencies: ["desktop-light", "phone-dark"],
      fullyParallel: false,
    },
  ],
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        `--disable-features=${DISABLED_FEATURES.join()}`,
      ],
    },
  },
  webServer: {
    command: "node e2e/serve.mjs",
    url: `http://127.0.0.1:${PORT}/health/ready`,
    env: { API_PORT: String(PORT), API_KEY },
    reuseExistingServer: false,
    timeout: 90_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 15_000 },
    stdout: "ignore",
    stderr: "pipe",
  },
});
