// @vitest-environment node
import { expect, it } from "vitest";

import { suggestedAction } from "./suggested-action";

it("suggests an action for each failure code", () => {
  expect(suggestedAction("provider-auth")).toBe("provider");
  expect(suggestedAction("provider-rate-limit")).toBe("resume");
  expect(suggestedAction("context-too-long")).toBe("agent");
  expect(suggestedAction("guardrail-failed")).toBe("task");
  expect(suggestedAction("something new")).toBe("none");
});
