import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of `src`. */
export const SRC = fileURLToPath(new URL("..", import.meta.url));

const GENERATED = "lib/api/schema.d.ts";

/** TypeScript files below `src`, relative to it, without generated ones. */
export const SOURCE_FILES: readonly string[] = readdirSync(SRC, {
  recursive: true,
  withFileTypes: true,
})
  .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
  .filter((file) => file !== GENERATED);
