/** What people see who may not do everything: no page offers an action that their role does not include. */
import type { Locator, Page } from "@playwright/test";

import { Api } from "./api";
import { expect, openPage, test } from "./fixtures";
import { ProductWithRuns, type PreparedIds } from "./product-with-runs";
import { checkAccessibility, atBothSizes } from "./themes";

const PASSWORD = "correct horse battery staple";
/** What changes something, in the names of buttons, links, menu items, tabs and fields. */
const ACTIONS =
  /^(new|create|add|connect|edit|save|delete|remove|rename|run( |$|…)|start |stop|resume|retry|re-run|fork|duplicate|import|upload|choose a|restore|approve|answer|review|reject|send|raise|try to|invite|revoke|set |replace|test|make |build again|allow|browse templates|blank|form$|message to|role of|change to)/i;
/** Names that begin like an action and only show something. */
const HARMLESS =
  /^(reviewed brief|stopping$|stopped$|re-run from research$|started by|started|set by|starts with|run views|runs?$|running|tests?$)/i;

let product: ProductWithRuns;
let ids: PreparedIds;

test.describe.configure({ mode: "default", timeout: 120_000 });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  product = await ProductWithRuns.start();
  ids = await product.ensureRuns();
  for (const role of ["viewer", "operator", "owner"]) {
    await product.api.call("POST", "/api/v1/people", {
      name: role,
      email: `${role}@example.org`,
      password: PASSWORD,
      role,
    });
  }
});

test.afterAll(async () => product.stop());

const open = (page: Page, path: string) => openPage(page, product.url + path);

async function signInAs(page: Page, role: string): Promise<void> {
  await open(page, "/sign-in");
  await page.getByLabel("E-mail address").fill(`${role}@example.org`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Dashboard" })).toBeVisible();
}

const viewsOf = (runId: string) =>
  ["", "?view=graph", "?view=output", "?view=chat", "?view=input"].map(
    (view) => `/runs/${runId}${view}`,
  );

function pages(): string[] {
  return [
    "/",
    "/workflows",
    `/workflows/${ids.workflow}`,
    `/workflows/${ids.workflow}?view=form`,
    `/workflows/${ids.workflow}?tab=versions`,
    `/workflows/${ids.workflow}?tab=runs`,
    "/projects",
    "/runs",
    `/runs/compare?a=${ids.completed}&b=${ids.second}`,
    ...viewsOf(ids.completed),
    ...[ids.failed, ids.stopped, ids.approval, ids.budget, ids.running, ids.queued].map(
      (id) => `/runs/${id}`,
    ),
    "/models",
    "/tools",
    "/tools/mcp",
    "/settings",
  ];
}

/** The names of everything on the page that can be pressed, followed or filled in, open menus included. */
async function listControls(page: Page): Promise<string[]> {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  // Skeletons; what is live pulses too.
  await expect(page.locator("main .animate-pulse.bg-hover")).toHaveCount(0);
  const names = await readNames(page.locator("body"));
  for (const menu of await page.locator("button[aria-haspopup=menu]:enabled").all()) {
    await menu.click();
    names.push(...(await readNames(page.locator("[role=menu][data-state=open]"))));
    await page.keyboard.press("Escape");
  }
  return names;
}

function readNames(root: Locator): Promise<string[]> {
  return root.evaluate((element) =>
    [
      ...element.querySelectorAll<HTMLElement>(
        "button, a[href], input, textarea:not([readonly]), select, [role=menuitem], [role=radio], [role=tab]",
      ),
    ]
      .filter((one) => one.checkVisibility() && !(one as HTMLInputElement).disabled)
      .map(
        (one) =>
          one.getAttribute("aria-label") ??
          (one as HTMLInputElement).labels?.[0]?.textContent ??
          one.textContent ??
          "",
      )
      .map((name) => name.trim()),
  );
}

const actionsIn = (names: string[]) =>
  names.filter((name) => ACTIONS.test(name) && !HARMLESS.test(name));

test("a viewer sees no action on any page, and the API refuses each", async ({
  page,
  browserErrors,
}) => {
  browserErrors.allow(/status of 403/);
  await signInAs(page, "viewer");
  const offered: Record<string, string[]> = {};
  for (const path of pages()) {
    await open(page, path);
    const actions = actionsIn(await listControls(page));
    if (actions.length > 0) offered[path] = actions;
  }
  expect(offered).toEqual({});

  for (const [path, role] of [
    ["/workflows/new", "editor"],
    [`/workflows/${ids.workflow}/run`, "operator"],
    ["/settings/people", "owner"],
    ["/settings/api-keys", "owner"],
    ["/models?provider=new", "owner"],
    ["/tools?add=search", "owner"],
    ["/tools?try=calculator", "editor"],
  ] as const) {
    await open(page, path);
    await expect(page.getByText(`You need the role ${role}`)).toBeVisible();
  }
  await open(page, "/");
  await page.keyboard.press("c");
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog");
  await palette.getByRole("combobox").fill("run");
  await expect(palette.getByRole("option", { name: /^Market research/ }).first()).toBeVisible();
  await expect(palette.getByRole("option", { name: /^(Run |New workflow|Upload)/ })).toHaveCount(0);
  await expect(page).toHaveURL(product.url + "/");

  const created = await page.evaluate(async (workflowId) => {
    const stored = localStorage.getItem("crewai-runner:session") ?? "{}";
    const { csrfToken } = JSON.parse(stored) as { csrfToken: string };
    const headers = { "X-CSRF-Token": csrfToken, "Content-Type": "application/json" };
    const body = JSON.stringify({ workflowId });
    return (await fetch("/api/v1/runs", { method: "POST", headers, body })).status;
  }, ids.workflow);
  expect(created).toBe(403);
});

test("an owner sees the actions that a viewer does not", async ({ page }) => {
  await signInAs(page, "owner");
  const found = new Set<string>();
  for (const path of [
    "/workflows",
    `/runs/${ids.completed}`,
    `/runs/${ids.running}`,
    "/models",
    "/settings",
  ]) {
    await open(page, path);
    for (const name of actionsIn(await listControls(page))) found.add(name.split(" ")[0] ?? "");
  }
  expect([...found]).toEqual(
    expect.arrayContaining(["New", "Run", "Stop", "Connect", "Test", "Edit", "Delete"]),
  );
});

test("someone who gets more rights sees the new actions after signing in again", async ({
  page,
  browserErrors,
}) => {
  browserErrors.allow(/status of 401/);
  await signInAs(page, "operator");
  await open(page, "/workflows");
  await expect(page.getByRole("link", { name: "New workflow" })).toHaveCount(0);
  const { people } = await product.api.call<{ people: { id: string; name: string }[] }>(
    "GET",
    "/api/v1/people",
  );
  const operator = people.find(({ name }) => name === "operator");
  await product.api.call("PATCH", `/api/v1/people/${operator?.id}`, { role: "editor" });

  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.getByRole("dialog", { name: "Sign in again" }).getByText("Sign out").click();
  await signInAs(page, "operator");
  await page.getByRole("link", { name: "Workflows", exact: true }).click();
  await expect(page.getByRole("link", { name: "New workflow" })).toBeVisible();
});

atBothSizes("the pages of the team", async ({ signedIn: page, browserErrors }) => {
  // Without a session at the end.
  browserErrors.allow(/status of 401/);
  const owner = new Api(product.url);
  await owner.call("POST", "/api/v1/api-keys", { name: "nightly build", role: "operator" });
  for (const [path, text] of [
    ["/settings/people", "viewer@example.org"],
    ["/settings/api-keys", "nightly build"],
    ["/account", "This browser"],
  ] as const) {
    await open(page, path);
    await expect(page.getByText(text).first()).toBeVisible();
    await checkAccessibility(page, path);
  }
  for (const path of [
    "/sign-in",
    "/invitation#token-of-nothing-at-all",
    "/password-reset#token-of-nothing-at-all",
  ]) {
    await page.context().clearCookies();
    await page.evaluate(() => localStorage.clear());
    await open(page, path);
    await checkAccessibility(page, path);
  }
});
