// Takes a PNG of every page, in both themes and both sizes: node scripts/shots.mjs FOLDER [WORD-IN-NAME]
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "@playwright/test";

import { signInScript, withProduct } from "./prepared-product.mjs";

const [folder, word = ""] = process.argv.slice(2);
if (!folder) throw new Error("Say which folder the pictures go to.");
const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
const THEMES = ["light", "dark"];

mkdirSync(folder, { recursive: true });
let taken = 0;

await withProduct(async ({ origin, key, pages }) => {
  const wanted = pages.filter((page) => page.name.includes(word));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    for (const [size, device] of Object.entries(SIZES)) {
      for (const theme of THEMES) await takeAll(browser, origin, key, wanted, size, device, theme);
    }
  } finally {
    await browser.close();
  }
});
console.log(`shots: ${taken} pictures in ${folder}`);

async function takeAll(browser, origin, key, pages, size, device, theme) {
  for (const { name, path, signedOut } of pages) {
    const context = await browser.newContext({
      ...device,
      colorScheme: theme,
      reducedMotion: "reduce",
    });
    if (!signedOut) await context.addInitScript(signInScript(key));
    const page = await context.newPage();
    await page.goto(origin + path);
    await settle(page);
    await page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) });
    taken += 1;
    await context.close();
  }
}

/** Waits until nothing is loading; a page that shows a live stream never falls silent, so not for long. */
async function settle(page) {
  await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => {});
  await page
    .waitForFunction(() => document.querySelector(".animate-pulse, .animate-spin") === null, null, {
      timeout: 3_000,
    })
    .catch(() => {});
}
