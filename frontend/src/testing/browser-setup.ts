/** What tests with a DOM need; removes what each of them leaves behind. */
import "@testing-library/jest-dom/vitest";

import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";

import { learnRights } from "@/lib/rights";

import { ALL_SCOPES } from "./scopes";

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 5_000 });

// Tests of what others see give fewer.
beforeEach(() => learnRights(ALL_SCOPES, true));
afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});
