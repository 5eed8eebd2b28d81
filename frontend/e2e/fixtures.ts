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
  /** What the browser complained of; any complaint fails the test, but those a journey expects. */
  complaints: { allow: (words: RegExp) => void };
  /** A page of a person who is signed in. */
  signedIn: Page;
}

export const test = base.extend<Fixtures>({
  api: async ({ baseURL }, use) => {
    await use(new Api(baseURL ?? ""));
  },

  // eslint-disable-next-line no-empty-pattern -- Playwright reads the first parameter's pattern
  provider: async ({}, use) => {
    const provider = await Provider.start();
    await use(provider);
    provider.stop();
  },

  complaints: [
    async ({ page }, use) => {
      const heard: string[] = [];
      const allowed: RegExp[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") heard.push(`console: ${message.text()}`);
      });
      page.on("pageerror", (error) => heard.push(`page: ${error.stack ?? error.message}`));
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) => {
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
        });
      });
      await use({ allow: (words) => allowed.push(words) });
      expect(heard.filter((words) => !allowed.some((one) => one.test(words)))).toEqual([]);
    },
    { auto: true },
  ],

  signedIn: async ({ page }, use) => {
    await signIn(page);
    await use(page);
  },
});

export { expect };

/** Puts the key where the product keeps it, before any page is loaded. */
export async function signIn(page: Page, key: string = API_KEY): Promise<void> {
  await page.addInitScript((value) => sessionStorage.setItem("crewai-runner:api-key", value), key);
}

/** Goes to an address and waits until the page listens to keys and clicks. */
export async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator("html[data-ready]").waitFor();
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

/** Fails when the page as it stands breaks a rule of WCAG 2.2 AA or a best practice. */
export async function expectAccessible(page: Page): Promise<void> {
  if (await page.evaluate(() => !("axe" in window))) await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: (root: Document, options: RunOptions) => Promise<AxeResults> };
    };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    // Only what is broken is told in full; the style sheets are needed by none of these rules.
    const options: RunOptions = { runOnly: tags, resultTypes: ["violations"], preload: false };
    const found = await axe.run(document, options);
    return found.violations.map((one) => ({
      rule: one.id,
      help: one.help,
      where: one.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`),
    }));
  });
  expect(violations).toEqual([]);
}
