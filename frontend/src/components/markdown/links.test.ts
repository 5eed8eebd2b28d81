// @vitest-environment node
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { linkHost, safeHref } from "./links";

test.each([
  "https://example.org/a?b#c",
  "http://example.org",
  "mailto:ada@example.org",
  "HTTPS://EXAMPLE.ORG",
  "#user-content-fn-1",
])("safeHref keeps %s", (url) => {
  expect(safeHref(url)).toBe(url);
});

test.each([
  "javascript:alert(1)",
  " javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "blob:https://example.org/1",
  "file:///etc/passwd",
  "/settings",
  "runs/run_1",
  "//evil.example/x",
  "",
])("safeHref rejects %j", (url) => {
  expect(safeHref(url)).toBe("");
});

test("safeHref only returns web, mail and fragment links", () => {
  const prefix = fc.constantFrom("", "javascript:", "data:", " \t", "https://", "#", "blob:");
  fc.assert(
    fc.property(prefix, fc.string(), (start, rest) => {
      const href = safeHref(start + rest);
      if (href === "" || href.startsWith("#")) return;
      expect(["http:", "https:", "mailto:"]).toContain(new URL(href).protocol);
    }),
  );
});

test("linkHost returns the host of a link", () => {
  expect(linkHost("https://example.org:8443/a")).toBe("example.org:8443");
  expect(linkHost("mailto:ada@example.org")).toBe("mailto");
  expect(linkHost("nonsense")).toBe("");
});
