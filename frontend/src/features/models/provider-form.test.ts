import { expect, test } from "vitest";

import type { Provider } from "@/lib/api/types";

import { issuesOf } from "./provider-schema";
import { CONNECTABLE_TYPES, freeName, isPlainHttp, needsKey } from "./provider-types";
import {
  changedWords,
  createRequest,
  keyOf,
  newProviderValues,
  providerValues,
  updateRequest,
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
  issuesOf(values, creating).map(([field]) => field);

test("asks each kind for what it needs, and for nothing else", () => {
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

test("needs no key at a server of one's own that speaks like a vendor", () => {
  expect(needsKey("openai", "http://gateway:8080/v1")).toBe(false);
  expect(needsKey("openai", "https://api.openai.com/v1/")).toBe(true);
  expect(needsKey("anthropic", "https://proxy.example")).toBe(true);
});

test("refuses addresses and keys that could not be used", () => {
  const compatible = (baseUrl: string) => wrong(fresh("openai_compatible", { baseUrl }));
  expect(compatible("localhost:8000")).toEqual(["baseUrl"]);
  expect(compatible("https://")).toEqual(["baseUrl"]);
  expect(compatible("https://ada:secret@host/v1")).toEqual(["baseUrl"]);
  expect(compatible("http://localhost:8000/v1")).toEqual([]);
  expect(wrong(fresh("openai", { apiKey: "sk with space" }))).toEqual(["apiKey"]);
  expect(wrong(fresh("openai", { apiKey: "  sk-fine\n" }))).toEqual([]);
  expect(wrong(fresh("openai", { apiKey: "sk", name: "  " }))).toEqual(["name"]);
});

test("a stored provider may be saved without its key", () => {
  expect(wrong(providerValues(stored), false)).toEqual([]);
  expect(wrong(providerValues({ ...stored, hasApiKey: false }), false)).toEqual([]);
});

test("makes one key of Bedrock's parts", () => {
  const values = fresh("bedrock", {
    accessKeyId: " AKIA ",
    secretAccessKey: "s3",
    region: "eu-central-1",
  });
  expect(keyOf(values)).toBe("AKIA:s3");
  expect(keyOf({ ...values, sessionToken: "tok" })).toBe("AKIA:s3:tok");
  expect(createRequest(values)).toMatchObject({
    options: { region: "eu-central-1" },
    baseUrl: null,
  });
  expect(wrong({ ...values, secretAccessKey: "" })).toEqual(["secretAccessKey"]);
});

test("sends options to the kind that knows them only", () => {
  expect(createRequest(fresh("openai", { region: "x", apiVersion: "y" })).options).toEqual({});
  expect(createRequest(fresh("azure", { apiVersion: "2024-10-21" })).options).toEqual({
    apiVersion: "2024-10-21",
  });
});

test("a change sends what differs, and the key only when it was replaced or removed", () => {
  const values = providerValues(stored);
  expect(updateRequest(values, stored)).toEqual({});
  expect(updateRequest({ ...values, name: "New " }, stored)).toEqual({ name: "New" });
  expect(updateRequest({ ...values, baseUrl: "" }, { ...stored, baseUrl: "http://x" })).toEqual({
    baseUrl: null,
  });
  expect(updateRequest({ ...values, keyAction: "replace", apiKey: "sk-2" }, stored)).toEqual({
    apiKey: "sk-2",
  });
  expect(updateRequest({ ...values, keyAction: "replace" }, stored)).toEqual({});
  expect(updateRequest({ ...values, keyAction: "remove" }, stored)).toEqual({ apiKey: null });
  expect(updateRequest({ ...values, apiKey: "typed, then kept" }, stored)).toEqual({});
});

test("names what somebody else changed", () => {
  expect(changedWords(stored, stored)).toEqual([]);
  const other = { ...stored, baseUrl: "http://x", models: [], apiKeyHint: "0000" };
  expect(changedWords(stored, other)).toEqual(["base URL", "models to offer", "API key"]);
});

test("finds a free name, and knows plain http", () => {
  expect(freeName("openai", [])).toBe("OpenAI");
  expect(freeName("openai", ["OpenAI", "OpenAI 2"])).toBe("OpenAI 3");
  expect(isPlainHttp("ollama", "")).toBe(true);
  expect(isPlainHttp("openai", "")).toBe(false);
  expect(isPlainHttp("openai", "http://localhost")).toBe(true);
});
