// @vitest-environment node
import { assert, constantFrom, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { nextPath } from "./next-path";

const HERE = "http://runner.test";

describe("where sign-in leads", () => {
  it.each(["/", "/runs", "/runs?status=failed&q=a%2Fb", "/runs/run_1?span=x#end", "/sign-in-help"])(
    "goes back to %s",
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
  ])("leads %j to the dashboard", (asked) => {
    expect(nextPath(asked, HERE)).toBe("/");
  });

  it("never leaves this site, whatever is asked", () => {
    const nasty = string({
      unit: constantFrom("/", "\\", ".", "@", ":", "\t", "\n", "%2f", "evil.test", "http", "?"),
    });
    assert(
      property(nasty, (asked) => {
        const found = nextPath(`/${asked}`, HERE);
        expect(found).toMatch(/^\/(?![/\\])/);
        expect(new URL(found, HERE).origin).toBe(HERE);
      }),
    );
  });
});
