import { expect, open, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

test("without a connection the page stays, says so, and goes on by itself @phone", async ({
  signedIn: page,
  context,
  complaints,
}) => {
  complaints.allow(/ERR_INTERNET_DISCONNECTED/);
  await open(page, "/settings");
  await expect(page.getByText("All systems operational")).toBeVisible();

  await context.setOffline(true);

  const bar = page.getByRole("status").filter({ hasText: "You are offline" });
  await expect(bar).toBeVisible();
  await expect(page.getByText("All systems operational")).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await bar.getByRole("button", { name: "Retry now" }).click();
  await expect(bar).toBeVisible();

  await context.setOffline(false);
  await expect(bar).toHaveCount(0);
});

test("what was asked while offline is fetched when the connection is back", async ({
  signedIn: page,
  context,
  complaints,
  api,
}) => {
  complaints.allow(/ERR_INTERNET_DISCONNECTED/);
  await open(page, "/settings");
  // The page's code is here before the connection goes.
  await page.getByRole("link", { name: "Providers & models" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Providers & models" })).toBeVisible();
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await expect(page.getByText("All systems operational")).toBeVisible();
  const model = await api.model("http://127.0.0.1:9/v1");

  await context.setOffline(true);
  await expect(page.getByText("You are offline")).toBeVisible();
  await page.getByRole("link", { name: "Providers & models" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Providers & models" })).toBeVisible();
  await expect(page.getByText(model).first()).toHaveCount(0);

  await context.setOffline(false);
  await expect(page.getByText(model).first()).toBeVisible();
});
