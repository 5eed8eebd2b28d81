// @vitest-environment node
import { expect, test } from "vitest";

import type { Model } from "@/lib/api/types";

import { filterModelNames, mergeNames, nextRow } from "./filter-model-names";
import { modelIssues, modelSchema } from "./model-schema";
import {
  changedModelFields,
  createModelRequest,
  guessModelType,
  modelValues,
  newModelValues,
  updateModelRequest,
  type ModelValues,
} from "./model-values";
import { formatPrices, shortenUrl } from "./model-labels";

const empty: ModelValues = {
  ...newModelValues(undefined),
  providerId: "p",
  providerModel: "m",
  name: "m",
};
const model: Model = {
  id: "mdl_1",
  name: "large",
  type: "llm",
  providerId: "prov_1",
  providerName: "Acme",
  providerType: "openai",
  providerModel: "acme-large",
  endpoint: "/v1/chat/completions",
  default: true,
  settings: {
    temperature: 0,
    stop: ["END"],
    extraBody: { top_k: 40 },
    stream: false,
    maxTokensParameter: "max_completion_tokens",
    systemRole: "user",
    omitParameters: ["stream_options", "seed"],
  },
  capabilities: { tools: true, vision: false, json: null, contextWindow: 128000 },
  pricing: { inputPerMillion: "2.50", outputPerMillion: "10", currency: "EUR" },
  description: null,
  createdAt: "2026-11-22T10:00:00Z",
  updatedAt: "2026-11-22T10:00:00Z",
  version: 1,
};

test("a model survives the conversion to form values and back", () => {
  const { name, type, providerId, providerModel, endpoint, capabilities, pricing, settings } =
    model;
  expect(createModelRequest(modelValues(model))).toEqual({
    name,
    type,
    providerId,
    providerModel,
    endpoint,
    capabilities,
    pricing,
    settings,
    default: true,
  });
  expect(updateModelRequest(modelValues(model), model)).toEqual({});
});

test("an emptied endpoint is null; a model name is refused there", () => {
  expect(updateModelRequest({ ...modelValues(model), endpoint: " " }, model)).toEqual({
    endpoint: null,
  });
  const endpoints = ["", "/v1/chat/completions", "https://host/v1", "gpt-4o"];
  const isValid = endpoints.map(
    (endpoint) => modelSchema.safeParse({ ...empty, endpoint }).success,
  );
  expect(isValid).toEqual([true, true, true, false]);
});

test("empty fields are unknown, not 0", () => {
  expect(createModelRequest(empty)).toMatchObject({
    pricing: null,
    settings: {},
    capabilities: { tools: null, vision: null, json: null, contextWindow: null },
  });
});

test("an update contains only the changed groups", () => {
  const values = { ...modelValues(model), temperature: "", default: false };
  expect(updateModelRequest(values, model)).toEqual({
    default: false,
    settings: { ...model.settings, temperature: undefined },
  });
  expect(changedModelFields(model, { ...model, name: "x", pricing: null })).toEqual([
    "name",
    "prices",
  ]);
});

test.each([
  ["temperature", "2.1", "A number from 0 to 2."],
  ["temperature", "warm", "A number from 0 to 2."],
  ["topP", "0", "A number above 0, at most 1."],
  ["maxTokens", "1.5", "A whole number from 1 to 10000000."],
  ["maxRetries", "11", "A whole number from 0 to 10."],
  ["seed", "0.5", "A whole number."],
  ["extraBody", "[1]", 'A JSON object, such as {"top_k": 40}.'],
  ["extraBody", "{", 'A JSON object, such as {"top_k": 40}.'],
] as const)("rejects %s of %s", (field, value, message) => {
  expect(modelIssues({ ...empty, [field]: value })).toEqual([[field, message]]);
});

const priced = (inputPerMillion: string, outputPerMillion: string, currency = "USD") =>
  modelIssues({ ...empty, inputPerMillion, outputPerMillion, currency }).map(([field]) => field);

test("requires both prices or neither", () => {
  expect(priced("1", "")).toEqual(["outputPerMillion"]);
  expect(priced("", "1")).toEqual(["inputPerMillion"]);
  expect(priced("0", ".5")).toEqual([]);
  expect(priced("1e3", "-1")).toEqual(["inputPerMillion", "outputPerMillion"]);
  expect(priced("1000001", "1")).toEqual(["inputPerMillion"]);
  expect(priced("0.12345678901", "1")).toEqual(["inputPerMillion"]);
  expect(priced("1", "1", "dollars")).toEqual(["currency"]);
  expect(priced("", "", "")).toEqual([]);
});

test("requires a model and a name", () => {
  const found = modelSchema.safeParse({ ...empty, providerModel: " ", name: "" });
  expect(found.error?.issues.map((issue) => issue.path[0])).toEqual(["providerModel", "name"]);
});

test("filterModelNames matches every word, ranks prefixes first and counts hidden names", () => {
  const names = ["meta/llama-large", "large-v2", "small"];
  expect(filterModelNames(names, "LARGE").shown).toEqual(["large-v2", "meta/llama-large"]);
  expect(filterModelNames(names, "large meta").shown).toEqual(["meta/llama-large"]);
  const many = Array.from({ length: 70 }, (_, index) => `m${index}`);
  expect(filterModelNames(many, "")).toMatchObject({ hidden: 10 });
  expect(mergeNames(["a", "b"], ["b", "c"])).toEqual(["b", "c", "a"]);
});

test("nextRow wraps around", () => {
  expect(nextRow(-1, "ArrowDown", 3)).toBe(0);
  expect(nextRow(2, "ArrowDown", 3)).toBe(0);
  expect(nextRow(-1, "ArrowUp", 3)).toBe(2);
  expect(nextRow(1, "ArrowUp", 3)).toBe(0);
  expect(nextRow(0, "ArrowDown", 0)).toBe(-1);
});

test("guesses embedders by name, and formats prices and URLs", () => {
  expect(["text-embedding-3-small", "nomic-embed-text", "gpt-5-mini"].map(guessModelType)).toEqual([
    "embedder",
    "embedder",
    "llm",
  ]);
  expect(formatPrices(null)).toBe("–");
  expect(formatPrices(model.pricing)).toBe("€2.50 in · €10.00 out");
  expect(shortenUrl("https://api.openai.com/v1")).toBe("api.openai.com/v1");
});
