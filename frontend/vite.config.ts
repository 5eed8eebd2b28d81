import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8000";

/** Small files that many pages share. */
const SHARED =
  /@tanstack.(react-)?query|src.(hooks|lib).(?!queries.team|roles|new-password)|src.components.[\w-]+\.tsx|src.components.ui.(alert|badge|card|copy-button|icon-button|input|skeleton)\./;

/** The upload of projects: used by four pages, and too large for all others. */
const PROJECT_UPLOAD =
  /project-drop-zone|use-upload-project|api.upload\.|project-archive|random-key/;

/** Left alone each icon would be a file of its own, and a page a hundred requests. */
const CHUNKS = [
  { name: "initial", tags: ["$initial" as const], priority: 3 },
  { name: "icons", test: /lucide-react/, minShareCount: 2, priority: 2 },
  { name: "project-upload", test: PROJECT_UPLOAD, minShareCount: 2, priority: 2 },
  { name: "shared", test: SHARED, minShareCount: 3, priority: 1 },
];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    port: 5173,
    proxy: Object.fromEntries(
      ["/api", "/health", "/docs", "/redoc", "/openapi.json"].map((path) => [
        path,
        { target: backend, ws: true },
      ]),
    ),
  },
  build: {
    target: "es2022",
    manifest: true,
    // Inlined data: URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: { output: { codeSplitting: { groups: CHUNKS } } },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./src/testing/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    // One for each core; left alone, a machine with two cores uses one.
    maxWorkers: availableParallelism(),
    testTimeout: 15_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
