import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults, RunOptions } from "axe-core";
import { expect, test as base, type Page } from "@playwright/test";

import { API_KEY } from "../playwright.config";

import { Api } from "./api";
import { Provider } from "./provider";

interface Fixtures {
  api: Api;
  provider: Provider;
  /** Errors logged by the browser; each fails the test unless it is allowed. */
  browserErrors: { allow: (pattern: RegExp) => void };
  /** A page of a signed-in user. */
  signedIn: Page;
}

interface WorkerFixtures {
  /** The process that serves the providers of all tests of a worker. */
  providerProcess: Provider;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  api: async ({ baseURL }, use) => {
    await use(new Api(baseURL ?? ""));
  },

  providerProcess: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the first parameter's pattern
    async ({}, use) => {
      const provider = await Provider.start();
      await use(provider);
      await provider.stop();
    },
    { scope: "worker" },
  ],

  provider: async ({ providerProcess }, use) => {
    const provider = await providerProcess.startAnother();
    await use(provider);
    await provider.stop();
  },

  browserErrors: [
    async ({ page }, use) => {
      const errors: string[] = [];
      const allowed: RegExp[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(`console: ${message.text()}`);
      });
      page.on("pageerror", (error) => errors.push(`page: ${error.stack ?? error.message}`));
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) => {
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
        });
      });
      await use({ allow: (pattern) => allowed.push(pattern) });
      expect(errors.filter((error) => !allowed.some((pattern) => pattern.test(error)))).toEqual([]);
    },
    { auto: true },
  ],

  signedIn: async ({ page, baseURL }, use) => {
    await signIn(page, baseURL ?? "");
    await use(page);
  },
});

export { expect };

const SESSION_STORAGE = "crewai-runner:session";
/** The servers that a page is signed in to. */
const signedInTo = new WeakMap<Page, Set<string>>();

/** Signs in to a server before any of its pages is loaded. */
export async function signIn(page: Page, url: string, key: string = API_KEY): Promise<void> {
  const { origin } = new URL(url);
  const response = await page.context().request.post(`${origin}/api/v1/session`, {
    headers: { Authorization: `Bearer ${key}` },
    data: {},
  });
  expect(response.ok()).toBe(true);
  const { csrfToken } = (await response.json()) as { csrfToken: string };
  await page.addInitScript(
    ([name, server, value]) => {
      if (location.origin === server) localStorage.setItem(name, value);
    },
    [SESSION_STORAGE, origin, JSON.stringify({ csrfToken, isRemembered: false })] as const,
  );
  signedInTo.set(page, (signedInTo.get(page) ?? new Set()).add(origin));
}

/** Ends the session at the server only, as its expiry does. */
export async function expireSession(page: Page): Promise<void> {
  await page.context().clearCookies();
}

/**
 * Opens a URL and waits until the application is interactive. A page that is signed in to one server is
 * signed in to the others that a test has started.
 */
export async function openPage(page: Page, url: string): Promise<void> {
  const servers = signedInTo.get(page);
  if (servers && url.startsWith("http") && !servers.has(new URL(url).origin))
    await signIn(page, url);
  await page.goto(url);
  await page.locator("html[data-ready]").waitFor();
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Fails when the page violates WCAG 2.2 AA or a best practice of axe; with `rules`, one of these rules. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  if (await page.evaluate(() => !("axe" in window))) await page.evaluate(axeSource);
  const runOnly: RunOptions["runOnly"] = rules
    ? { type: "rule", values: rules }
    : { type: "tag", values: AXE_TAGS };
  const violations = await page.evaluate(async (checked) => {
    const { axe } = window as unknown as {
      axe: { run: (root: Document, options: RunOptions) => Promise<AxeResults> };
    };
    // Only violations are reported in full. None of these rules needs the style sheets.
    const options: RunOptions = { runOnly: checked, resultTypes: ["violations"], preload: false };
    const results = await axe.run(document, options);
    return results.violations.map((violation) => ({
      rule: violation.id,
      help: violation.help,
      where: violation.nodes.map(
        (node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`,
      ),
    }));
  }, runOnly);
  expect(violations).toEqual([]);
}
