// @vitest-environment node
import { assert, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { nextPath } from "./next-path";

const HERE = "http://runner.test";

describe("nextPath", () => {
  it.each(["/", "/runs", "/runs?status=failed&q=a%2Fb", "/runs/run_1?span=x#end", "/sign-in-help"])(
    "keeps %s",
    (path) => {
      expect(nextPath(path, HERE)).toBe(path);
    },
  );

  it.each([
    undefined,
    "",
    "runs",
    "https://evil.test/",
    "//evil.test/",
    "///evil.test/",
    "/\\evil.test/",
    "/\t/evil.test/",
    "/\n/evil.test",
    "/..//evil.test/",
    "/.//evil.test",
    "\\\\evil.test",
    "javascript:alert(1)",
    " //evil.test",
    "/sign-in",
    "/sign-in?next=/sign-in",
  ])("replaces %j by the dashboard", (input) => {
    expect(nextPath(input, HERE)).toBe("/");
  });

  it("never leaves this site", () => {
    const malicious = string({
      unit: constantFrom("/", "\\", ".", "@", ":", "\t", "\n", "%2f", "evil.test", "http", "?"),
    });
    assert(
      property(malicious, (input) => {
        const path = nextPath(`/${input}`, HERE);
        expect(path).toMatch(/^\/(?![/\\])/);
        expect(new URL(path, HERE).origin).toBe(HERE);
      }),
    );
  });
});
