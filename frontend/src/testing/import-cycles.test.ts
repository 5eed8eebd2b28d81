// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { buildImportGraph, findImportCycle } from "./import-cycles";
import { SOURCE_FILES, SRC } from "./source-files";

const cycleOf = (files: Record<string, string>) =>
  findImportCycle(buildImportGraph(new Map(Object.entries(files))));

describe("findImportCycle", () => {
  it("finds type-only, dynamic and re-exporting imports", () => {
    expect(
      cycleOf({
        "a/table.tsx": 'import {\n  type Row,\n} from "./row";',
        "a/row.ts": 'import type { Card } from "@/b/card";',
        "b/card.tsx": 'const load = () => import("../a/list");',
        "a/list.ts": 'export { Table } from "./table";',
      }),
    ).toEqual(["a/table.tsx", "a/row.ts", "b/card.tsx", "a/list.ts", "a/table.tsx"]);
  });

  it("ignores packages and shared imports", () => {
    expect(
      cycleOf({
        "a.ts": 'import { useState } from "react";\nimport { c } from "./c";',
        "b.ts": 'import { a } from "./a";\nimport { c } from "./c";',
        "c.ts": "",
      }),
    ).toBeNull();
  });
});

// oxlint's import/no-cycle ignores type-only imports.
it("source files have no import cycles, type-only imports included", () => {
  const files = new Map(
    SOURCE_FILES.map((file) => [file, readFileSync(join(SRC, file), "utf8")] as const),
  );

  expect(findImportCycle(buildImportGraph(files))).toBeNull();
});
