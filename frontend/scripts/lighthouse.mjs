// Runs Lighthouse's desktop preset over every page, signed in; the best of three must keep the limits.
// node scripts/lighthouse.mjs [WORD-IN-NAME]
import { chromium } from "@playwright/test";
import lighthouse, { desktopConfig } from "lighthouse";

import { freePort, withProduct } from "./prepared-product.mjs";

const word = process.argv[2] ?? "";
const ROUNDS = 3;
/** A score of 100 is 1. */
const LEAST = { performance: 0.95, accessibility: 1, "best-practices": 1 };
const MOST = {
  "largest-contentful-paint": 1_500,
  "total-blocking-time": 200,
  "cumulative-layout-shift": 0.02,
};
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
];

let failed = 0;
let passed = 0;

await withProduct(async ({ origin, key, pages }) => {
  const port = await freePort();
  // A profile of its own, thrown away at the end: Lighthouse opens its tabs in it, and finds the key there.
  const profile = await chromium.launchPersistentContext("", {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...FLAGS, `--remote-debugging-port=${port}`],
  });
  try {
    const tab = await profile.newPage();
    await tab.goto(`${origin}/robots.txt`);
    const cache = await profile.newCDPSession(tab);
    for (const { name, path, signedOut } of pages.filter((one) => one.name.includes(word))) {
      await keepKey(tab, signedOut ? "" : key);
      tell(name, await bestOf(origin + path, port, cache));
    }
  } finally {
    await profile.close();
  }
});
console.log(`lighthouse: ${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

async function keepKey(tab, key) {
  await tab.evaluate((value) => {
    if (value) localStorage.setItem("crewai-runner:api-key", value);
    else localStorage.removeItem("crewai-runner:api-key");
  }, key);
}

/** The first round without a fault, else the one with the fewest. */
async function bestOf(url, port, cache) {
  let best = null;
  for (let round = 0; round < ROUNDS && best?.faults.length !== 0; round += 1) {
    // The storage holds the key and must stay; the files must come anew.
    await cache.send("Network.clearBrowserCache");
    const found = await measure(url, port);
    if (!best || found.faults.length < best.faults.length) best = found;
  }
  return best;
}

async function measure(url, port) {
  const flags = {
    port,
    logLevel: "error",
    disableStorageReset: true,
    onlyCategories: Object.keys(LEAST),
  };
  const { lhr } = await lighthouse(url, flags, desktopConfig);
  const landed = new URL(lhr.finalDisplayedUrl ?? url).pathname;
  const faults = lhr.runtimeError ? [lhr.runtimeError.message] : [];
  if (landed !== new URL(url).pathname) faults.push(`landed on ${landed}`);
  for (const [name, least] of Object.entries(LEAST)) {
    if (lhr.categories[name].score < least)
      faults.push(`${name} below ${least * 100}`, ...brokenRules(lhr, name));
  }
  for (const [name, most] of Object.entries(MOST)) {
    if (!(lhr.audits[name].numericValue <= most)) faults.push(`${name} above ${most}`);
  }
  return { lhr, faults };
}

/** The audits that took points away; of performance they are the figures themselves. */
function brokenRules(lhr, category) {
  if (category === "performance") return [];
  return lhr.categories[category].auditRefs
    .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 1)
    .map(({ id }) => `${id}: ${detailOf(lhr.audits[id])}`);
}

function detailOf({ title, details }) {
  const first = details?.items?.[0];
  return [title, first?.node?.selector ?? first?.description].filter(Boolean).join(", ");
}

function tell(name, { lhr, faults }) {
  const scores = Object.keys(LEAST).map((one) => Math.round(lhr.categories[one].score * 100));
  const figures = Object.keys(MOST).map((one) => lhr.audits[one].numericValue ?? NaN);
  const [lcp, tbt, cls] = figures;
  const line = `${scores.join("/")}  LCP ${Math.round(lcp)} ms  TBT ${Math.round(tbt)} ms  CLS ${cls.toFixed(3)}`;
  console.log(`${faults.length ? "FAIL" : "  ok"}  ${name.padEnd(12)} ${line}`);
  for (const fault of faults) console.log(`        ${fault}`);
  if (faults.length) failed += 1;
  else passed += 1;
}
