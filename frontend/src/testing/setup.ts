import "@testing-library/jest-dom/vitest";

import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, vi } from "vitest";

import { server } from "./server";

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

// An unexpected request is a defect of the test or of the code; either way it must be seen.
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => {
  cleanup();
  server.resetHandlers();
  if (typeof window === "undefined") return; // a test of pure logic, without a browser
  localStorage.clear();
  sessionStorage.clear();
});
afterAll(() => server.close());
