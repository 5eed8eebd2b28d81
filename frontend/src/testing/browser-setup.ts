/** What tests with a DOM need; removes what each of them leaves behind. */
import "@testing-library/jest-dom/vitest";

import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

import { learnRights } from "@/lib/rights";

import { ALL_SCOPES } from "./scopes";
import { server } from "./server";

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 5_000 });

// An unexpected request is a defect of the test or of the code; either way it must be seen.
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

// Tests of what others see give fewer.
beforeEach(() => learnRights(ALL_SCOPES, true));
afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});
