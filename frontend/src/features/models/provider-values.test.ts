// @vitest-environment node
import { expect, test } from "vitest";

import type { Provider } from "@/lib/api/types";

import { providerIssues } from "./provider-schema";
import { CONNECTABLE_TYPES, suggestName, isPlainHttp, needsKey } from "./provider-types";
import {
  changedProviderFields,
  createProviderRequest,
  combinedKey,
  newProviderValues,
  providerValues,
  updateProviderRequest,
  type ProviderValues,
} from "./provider-values";

const stored: Provider = {
  id: "prov_1",
  name: "Acme",
  type: "openai",
  baseUrl: null,
  hasApiKey: true,
  apiKeyHint: "89ab",
  models: ["one"],
  options: { apiVersion: null, region: null },
  createdAt: "2026-11-22T10:00:00Z",
  updatedAt: "2026-11-22T10:00:00Z",
  version: 3,
};
const fresh = (type: ProviderValues["type"], more: Partial<ProviderValues> = {}) => ({
  ...newProviderValues(type, []),
  ...more,
});
const wrong = (values: ProviderValues, creating = true) =>
  providerIssues(values, creating).map(([field]) => field);

test("each provider type requires only its own fields", () => {
  const needed = Object.fromEntries(CONNECTABLE_TYPES.map((type) => [type, wrong(fresh(type))]));
  expect(needed).toEqual({
    openai: ["apiKey"],
    anthropic: ["apiKey"],
    gemini: ["apiKey"],
    azure: ["baseUrl", "apiKey"],
    bedrock: ["accessKeyId", "secretAccessKey"],
    ollama: [],
    openrouter: ["apiKey"],
    groq: ["apiKey"],
    mistral: ["apiKey"],
    deepseek: ["apiKey"],
    openai_compatible: ["baseUrl"],
  });
});

test("a self-hosted server with a vendor's protocol needs no key", () => {
  expect(needsKey("openai", "http://gateway:8080/v1")).toBe(false);
  expect(needsKey("openai", "https://api.openai.com/v1/")).toBe(true);
  expect(needsKey("anthropic", "https://proxy.example")).toBe(true);
});

test("rejects invalid URLs and keys", () => {
  const compatible = (baseUrl: string) => wrong(fresh("openai_compatible", { baseUrl }));
  expect(compatible("localhost:8000")).toEqual(["baseUrl"]);
  expect(compatible("https://")).toEqual(["baseUrl"]);
  expect(compatible("https://ada:secret@host/v1")).toEqual(["baseUrl"]);
  expect(compatible("http://localhost:8000/v1")).toEqual([]);
  expect(wrong(fresh("openai", { apiKey: "sk with space" }))).toEqual(["apiKey"]);
  expect(wrong(fresh("openai", { apiKey: "  sk-fine\n" }))).toEqual([]);
  expect(wrong(fresh("openai", { apiKey: "sk", name: "  " }))).toEqual(["name"]);
});

test("a stored provider can be saved without its key", () => {
  expect(wrong(providerValues(stored), false)).toEqual([]);
  expect(wrong(providerValues({ ...stored, hasApiKey: false }), false)).toEqual([]);
});

test("joins Bedrock's credentials into one key", () => {
  const values = fresh("bedrock", {
    accessKeyId: " AKIA ",
    secretAccessKey: "s3",
    region: "eu-central-1",
  });
  expect(combinedKey(values)).toBe("AKIA:s3");
  expect(combinedKey({ ...values, sessionToken: "tok" })).toBe("AKIA:s3:tok");
  expect(createProviderRequest(values)).toMatchObject({
    options: { region: "eu-central-1" },
    baseUrl: null,
  });
  expect(wrong({ ...values, secretAccessKey: "" })).toEqual(["secretAccessKey"]);
});

test("sends options only to the types that support them", () => {
  expect(createProviderRequest(fresh("openai", { region: "x", apiVersion: "y" })).options).toEqual(
    {},
  );
  expect(createProviderRequest(fresh("azure", { apiVersion: "2024-10-21" })).options).toEqual({
    apiVersion: "2024-10-21",
  });
});

test("an update contains only changes, and the key only when it was replaced or removed", () => {
  const values = providerValues(stored);
  expect(updateProviderRequest(values, stored)).toEqual({});
  expect(updateProviderRequest({ ...values, name: "New " }, stored)).toEqual({ name: "New" });
  expect(
    updateProviderRequest({ ...values, baseUrl: "" }, { ...stored, baseUrl: "http://x" }),
  ).toEqual({
    baseUrl: null,
  });
  expect(
    updateProviderRequest({ ...values, keyAction: "replace", apiKey: "sk-2" }, stored),
  ).toEqual({
    apiKey: "sk-2",
  });
  expect(updateProviderRequest({ ...values, keyAction: "replace" }, stored)).toEqual({});
  expect(updateProviderRequest({ ...values, keyAction: "remove" }, stored)).toEqual({
    apiKey: null,
  });
  expect(updateProviderRequest({ ...values, apiKey: "typed, then kept" }, stored)).toEqual({});
});

test("changedProviderFields labels the changed fields", () => {
  expect(changedProviderFields(stored, stored)).toEqual([]);
  const other = { ...stored, baseUrl: "http://x", models: [], apiKeyHint: "0000" };
  expect(changedProviderFields(stored, other)).toEqual(["base URL", "suggested models", "API key"]);
});

test("suggests an unused name and recognises plain HTTP", () => {
  expect(suggestName("openai", [])).toBe("OpenAI");
  expect(suggestName("openai", ["OpenAI", "OpenAI 2"])).toBe("OpenAI 3");
  expect(isPlainHttp("ollama", "")).toBe(true);
  expect(isPlainHttp("openai", "")).toBe(false);
  expect(isPlainHttp("openai", "http://localhost")).toBe(true);
});
