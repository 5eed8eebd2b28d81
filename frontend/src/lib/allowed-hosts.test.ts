// @vitest-environment node
import { expect, it } from "vitest";

import { isHostAllowed } from "./allowed-hosts";

it("covers the named host and the names below a wildcard's domain", () => {
  const patterns = ["api.example.com:8443", "*.Example.org"];
  const covered = ["api.example.com", "a.example.org", "a.b.example.org"];
  const other = ["example.org", "badexample.org", "x.api.example.com"];
  expect(covered.map((host) => isHostAllowed(host, patterns))).toEqual([true, true, true]);
  expect(other.map((host) => isHostAllowed(host, patterns))).toEqual([false, false, false]);
});
