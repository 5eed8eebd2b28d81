import { afterAll, afterEach, beforeAll, vi } from "vitest";

import { server } from "./server";

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 30_000 });

// An unexpected request is a defect of the test or of the code; either way it must be seen.
beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());
// A component that loads a part of itself on demand may still load it when the last test of a file ends.
afterAll(() => vi.dynamicImportSettled());

// A test of pure logic runs without a browser.
if (typeof window !== "undefined") await import("./browser-setup");
