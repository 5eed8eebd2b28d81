/** A server that runs projects without a sandbox. */
import { expect, expectAccessible, openPage, signIn, test } from "./fixtures";
import { FreshProduct } from "./fresh-product";

test("a server that runs projects without a sandbox says so on every page", async ({ page }) => {
  test.setTimeout(180_000);
  const product = await FreshProduct.start({ PROJECTS: "unsandboxed" });
  try {
    await signIn(page, product.url);
    for (const path of ["/", "/projects", "/runs", "/settings"]) {
      await openPage(page, product.url + path);
      const warning = page.getByRole("complementary", { name: "Sandbox" });
      await expect(warning).toContainText("Projects run without a sandbox.");
    }
    await expectAccessible(page);
  } finally {
    await page.goto("about:blank"); // else it asks the stopped product
    await product.stop();
  }
});
