import { describe, expect, it } from "vitest";

import { readSource, suggestName } from "./api-requests";

describe("readSource", () => {
  it("takes one line that begins as an address for one", () => {
    expect(readSource(" https://a.example/openapi.json\n")).toEqual({
      url: "https://a.example/openapi.json",
    });
  });

  it("takes everything else for the document", () => {
    const text = "openapi: 3.0.0\nservers: [{url: https://a.example}]";
    expect(readSource(text)).toEqual({ document: text });
  });
});

describe("suggestName", () => {
  it.each([
    ["Swagger Petstore - OpenAPI 3.0", "swagger-petstore-openapi-3-0"],
    ["2. Wetter", "wetter"],
    ["天気", "api"],
  ])("makes %s the name %s", (title, name) => {
    expect(suggestName(title)).toBe(name);
  });
});
