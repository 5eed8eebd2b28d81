// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { SOURCE_FILES, SRC } from "./source-files";

const MAX_LINES = 250;
const BANNED = /(^|[-/])(utils?|helpers?|common|manager|data|info|handle)([-./]|$)/;

const filesWhere = (isOffender: (file: string) => boolean) => SOURCE_FILES.filter(isOffender);

describe("source files", () => {
  it("are found", () => {
    expect(SOURCE_FILES.length).toBeGreaterThan(50);
  });

  it("have kebab-case names without generic words", () => {
    const kebab = /^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.(test|worker|d))?\.tsx?$/;
    expect(filesWhere((file) => !kebab.test(file) || BANNED.test(file))).toEqual([]);
  });

  it("are not barrels", () => {
    expect(filesWhere((file) => /(^|\/)index\.tsx?$/.test(file))).toEqual([]);
  });

  it("are at most one folder below their feature", () => {
    expect(filesWhere(isNestedTooDeep)).toEqual([]);
  });

  it(`have at most ${MAX_LINES} lines`, () => {
    expect(filesWhere(isTooLong)).toEqual([]);
  });
});

function isNestedTooDeep(file: string): boolean {
  return file.startsWith("features/") && file.split("/").length > 4;
}

function isTooLong(file: string): boolean {
  if (file.includes(".test.")) return false;
  return readFileSync(join(SRC, file), "utf8").split("\n").length > MAX_LINES;
}
