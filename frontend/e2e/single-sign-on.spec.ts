/** Single sign-on at a real issuer on another site: buttons, roles from groups, refusals, signing out. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Page } from "@playwright/test";

import { expect, expectAccessible, openPage, signIn, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";

interface Issuers {
  one: string;
  clientSecret: string;
}

const script = fileURLToPath(new URL("issuer.mjs", import.meta.url));
/** The pages of the issuer have no icon; a refused sign-in is an error to the browser. */
const EXPECTED_ERRORS = /status of (404|403)/;
let issuerProcess: ChildProcess;
let issuers: Issuers;
let product: FreshProduct;

test.describe.configure({ mode: "default" });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await FreshProduct.start(async (url) => {
    // The issuer is on another site than the dashboard, as in real life.
    const child = spawn("node", [script, url, "localhost"], { stdio: ["pipe", "pipe", "ignore"] });
    issuerProcess = child;
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line")) as [string];
    issuers = JSON.parse(line) as Issuers;
    const issuer = {
      id: "one",
      name: "Acme",
      issuer: issuers.one,
      client_id: "crewai-runner",
      client_secret: issuers.clientSecret,
      scopes: ["openid", "profile", "email", "groups"],
      roles: [{ group: "editors", role: "editor" }],
    };
    return { PUBLIC_URL: url, OIDC_ISSUERS: JSON.stringify([issuer]), LOCAL_MODEL: "off" };
  });
});

test.afterAll(async () => {
  await product.stop();
  issuerProcess.kill();
});

async function setAccount(login: string, groups: string[]): Promise<void> {
  const claims = { name: "Ann", email: `${login}@example.org`, email_verified: true, groups };
  const body = JSON.stringify({ login, claims });
  await fetch(`${issuers.one}/_control/account`, { method: "POST", body });
}

async function signInAtIssuer(page: Page, login: string): Promise<void> {
  await openPage(page, `${product.url}/sign-in?next=%2Faccount`);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Sign in with Acme" }).click();
  await page.locator("input[name=login]").fill(login);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("someone signs in with a group's role, and out at the issuer", async ({
  page,
  browser,
  browserErrors,
}) => {
  browserErrors.allow(EXPECTED_ERRORS);
  await setAccount("ann", ["editors"]);
  await signInAtIssuer(page, "ann");
  await expect(page.getByRole("heading", { level: 1, name: "Your account" })).toBeVisible();
  await expect(page.getByText("Editor in Default")).toBeVisible();
  await expect(page.getByRole("list", { name: "Connected accounts" })).toContainText("Acme");
  expect(page.url()).not.toContain("code=");
  await expectAccessible(page);

  const owner = await (await browser.newContext()).newPage();
  await signIn(owner, product.url);
  await openPage(owner, `${product.url}/settings/people`);
  await expect(owner.getByText("by groups of Acme")).toBeVisible();
  await expectAccessible(owner);

  await page.getByRole("button", { name: "Account", exact: true }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await expect(page.getByRole("button", { name: "Sign in with Acme" })).toBeVisible();
});

test("someone without a group reads what to do", async ({ page, browserErrors }) => {
  browserErrors.allow(EXPECTED_ERRORS);
  await setAccount("bob", ["others"]);

  await signInAtIssuer(page, "bob");

  await expect(page.getByText("You may not use this server yet")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Back to signing in" }).click();
  await expect(page.getByRole("button", { name: "Sign in with Acme" })).toBeVisible();
});
