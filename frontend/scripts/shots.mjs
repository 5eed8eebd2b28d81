// Takes a screenshot of every page in both themes and at both sizes: node scripts/shots.mjs FOLDER [NAME-FILTER]
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "@playwright/test";

import { signIn, withProduct } from "./prepared-product.mjs";

const [folder, nameFilter = ""] = process.argv.slice(2);
if (!folder) throw new Error("Usage: node scripts/shots.mjs FOLDER [NAME-FILTER]");
const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
const THEMES = ["light", "dark"];

mkdirSync(folder, { recursive: true });
let count = 0;

await withProduct(async ({ origin, key, pages }) => {
  const selectedPages = pages.filter((page) => page.name.includes(nameFilter));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    for (const [size, device] of Object.entries(SIZES)) {
      for (const theme of THEMES)
        await takeScreenshots(browser, origin, key, selectedPages, size, device, theme);
    }
  } finally {
    await browser.close();
  }
});
console.log(`shots: ${count} screenshots in ${folder}`);

async function takeScreenshots(browser, origin, key, pages, size, device, theme) {
  for (const { name, path, signedOut } of pages) {
    const context = await browser.newContext({
      ...device,
      colorScheme: theme,
      reducedMotion: "reduce",
    });
    if (!signedOut) await signIn(context, origin, key);
    const page = await context.newPage();
    await page.goto(origin + path);
    await waitForIdle(page);
    await page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) });
    count += 1;
    await context.close();
  }
}

/** Waits up to 3 s until nothing is loading; a page with a live stream never becomes idle. */
async function waitForIdle(page) {
  await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => {});
  await page
    .waitForFunction(() => document.querySelector(".animate-pulse, .animate-spin") === null, null, {
      timeout: 3_000,
    })
    .catch(() => {});
}
