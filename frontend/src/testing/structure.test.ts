// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("..", import.meta.url));
const MAX_LINES = 250;
const GENERATED = "lib/api/schema.d.ts";
const BANNED = /(^|[-/])(utils?|helpers?|common|manager|data|info|handle)([-./]|$)/;

const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
  .filter((file) => file !== GENERATED);

const offenders = (breaks: (file: string) => boolean) => files.filter(breaks);

describe("the house", () => {
  it("has files to look at", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it("names every file in kebab-case, and by what it is", () => {
    const kebab = /^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.(test|worker|d))?\.tsx?$/;
    expect(offenders((file) => !kebab.test(file) || BANNED.test(file))).toEqual([]);
  });

  it("has no barrels: an import says where a thing lives", () => {
    expect(offenders((file) => /(^|\/)index\.tsx?$/.test(file))).toEqual([]);
  });

  it("keeps a feature flat: its files, and folders of files", () => {
    expect(offenders((file) => file.startsWith("features/") && file.split("/").length > 4)).toEqual(
      [],
    );
  });

  it("keeps files short enough to be read at once", () => {
    const tooLong = offenders(
      (file) =>
        !file.includes(".test.") &&
        readFileSync(join(SRC, file), "utf8").split("\n").length > MAX_LINES,
    );
    expect(tooLong).toEqual([]);
  });
});
