import { expect, openPage, test } from "./fixtures";
import { expectAccessibleInBothThemes } from "./themes";

test("the offline banner is shown until the connection is restored @phone", async ({
  signedIn: page,
  context,
  browserErrors,
}) => {
  browserErrors.allow(/ERR_INTERNET_DISCONNECTED/);
  await openPage(page, "/settings");
  await expect(page.getByText("All systems operational")).toBeVisible();

  await context.setOffline(true);

  const banner = page.getByRole("status").filter({ hasText: "You are offline" });
  await expect(banner).toBeVisible();
  await expect(page.getByText("All systems operational")).toBeVisible();
  await expectAccessibleInBothThemes(page);
  await banner.getByRole("button", { name: "Retry now" }).click();
  await expect(banner).toBeVisible();

  await context.setOffline(false);
  await expect(banner).toHaveCount(0);
});

test("data requested while offline is loaded when the connection is restored", async ({
  signedIn: page,
  context,
  browserErrors,
  api,
}) => {
  browserErrors.allow(/ERR_INTERNET_DISCONNECTED/);
  await openPage(page, "/settings");
  // Load the code of the page before going offline.
  await page.getByRole("link", { name: "Providers & models" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Providers & models" })).toBeVisible();
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await expect(page.getByText("All systems operational")).toBeVisible();
  const model = await api.createModel("http://127.0.0.1:9/v1");

  await context.setOffline(true);
  await expect(page.getByText("You are offline")).toBeVisible();
  await page.getByRole("link", { name: "Providers & models" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Providers & models" })).toBeVisible();
  await expect(page.getByText(model).first()).toHaveCount(0);

  await context.setOffline(false);
  await expect(page.getByText(model).first()).toBeVisible();
});
