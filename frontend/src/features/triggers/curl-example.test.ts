// @vitest-environment node
import { expect, test } from "vitest";

import type { Trigger } from "@/lib/api/types";

import { curlExample, SIGNATURES } from "./curl-example";

const trigger = { path: "/hooks/abc" } as Trigger;

test("quotes the secret and the address for a shell", () => {
  const text = curlExample({ ...trigger, signature: "bearer" }, "https://a.example", "it's");

  expect(text).toContain(`secret='it'\\''s'`);
  expect(text).toContain("'https://a.example/hooks/abc'");
});

test("knows the headers of every signature", () => {
  for (const signature of Object.keys(SIGNATURES) as Trigger["signature"][]) {
    expect(curlExample({ ...trigger, signature }, "")).toMatch(/authorization|signature/i);
  }
});
