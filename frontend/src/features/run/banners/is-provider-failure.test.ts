// @vitest-environment node
import { expect, it } from "vitest";

import { isProviderFailure } from "./is-provider-failure";

it("is true only for failures of providers and models", () => {
  expect(isProviderFailure({ code: "provider-auth" })).toBe(true);
  expect(isProviderFailure({ code: "context-too-long" })).toBe(true);
  expect(isProviderFailure({ code: "guardrail-failed" })).toBe(false);
});
