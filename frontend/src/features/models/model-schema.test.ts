// @vitest-environment node
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { OMITTABLE_PARAMETERS } from "./model-schema";

interface Schema {
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  items?: Schema;
  enum?: string[];
}

describe("OMITTABLE_PARAMETERS", () => {
  it("are those of the server", () => {
    const document = JSON.parse(readFileSync("../backend/openapi.json", "utf8")) as {
      components: { schemas: Record<string, Schema> };
    };
    const lists = Object.values(document.components.schemas)
      .map((schema) => schema.properties?.omitParameters)
      .filter((schema) => schema !== undefined)
      .map((schema) => [schema, ...(schema.anyOf ?? [])].flatMap((one) => one.items?.enum ?? []));

    expect(lists.length).toBeGreaterThan(0);
    for (const list of lists) expect(OMITTABLE_PARAMETERS).toEqual(list);
  });
});
