// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import {
  findRetiredWords,
  readSource,
  RETIRED_COPY,
  RETIRED_NAMES,
  splitName,
} from "./retired-words";
import { SOURCE_FILES, SRC } from "./source-files";

const files = SOURCE_FILES.filter((file) => !/\.test\.|^testing\//.test(file));
const sources = files.map((file) => readSource(file, readFileSync(join(SRC, file), "utf8")));

describe("findRetiredWords", () => {
  it("finds words in exported names and in UI copy, not in comments or class names", () => {
    const { names, copy } = readSource(
      "x.tsx",
      "// told\nexport const buttonLooks = 1;\nconst p = <p className='break-words'>At work</p>;",
    );

    expect(findRetiredWords(names.map(splitName), RETIRED_NAMES)).toHaveLength(1);
    expect(findRetiredWords(copy, RETIRED_COPY)).toEqual([
      '"At work": replace "at work" by "running, active"',
    ]);
  });
});

describe("retired words", () => {
  it("are not used in file names", () => {
    expect(findRetiredWords(SOURCE_FILES.map(splitName), RETIRED_NAMES)).toEqual([]);
  });

  it("are not used in exported names", () => {
    const names = sources.flatMap((source) => source.names).map(splitName);
    expect(findRetiredWords(names, RETIRED_NAMES)).toEqual([]);
  });

  it("are not used in UI copy", () => {
    const copy = sources.flatMap((source) => source.copy);
    expect(findRetiredWords(copy, RETIRED_COPY)).toEqual([]);
  });
});
