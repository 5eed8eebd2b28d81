// Fails when src/lib/api/schema.d.ts does not match backend/openapi.json.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { format, resolveConfig } from "prettier";

const FILE = "src/lib/api/schema.d.ts";
const fresh = execFileSync("node_modules/.bin/openapi-typescript", ["../backend/openapi.json"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"],
  maxBuffer: 64 * 1024 * 1024,
});
const formatted = await format(fresh, { ...(await resolveConfig(FILE)), filepath: FILE });

if (formatted !== readFileSync(FILE, "utf8")) {
  console.error(`${FILE} is stale: run 'make client' and commit it.`);
  process.exitCode = 1;
}
