import { afterAll, vi } from "vitest";

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 30_000 });

// A component that loads a part of itself on demand may still load it when the last test of a file ends.
afterAll(() => vi.dynamicImportSettled());

// A test of pure logic runs without a browser, and without the mock of its API.
if (typeof window !== "undefined") await import("./browser-setup");
else vi.stubGlobal("fetch", () => Promise.reject(new Error("This test has no API.")));
