import { expect, test } from "vitest";

import type { Model } from "@/lib/api/types";

import { choicesFor, mergedNames, movedRow } from "./model-choices";
import { modelIssues, modelSchema } from "./model-schema";
import {
  changedModelWords,
  createModelRequest,
  kindByName,
  modelValues,
  newModelValues,
  updateModelRequest,
  type ModelValues,
} from "./model-values";
import { priceWords, shortUrl } from "./model-words";

const empty: ModelValues = {
  ...newModelValues(undefined),
  providerId: "p",
  endpoint: "m",
  name: "m",
};
const model: Model = {
  id: "mdl_1",
  name: "large",
  type: "llm",
  providerId: "prov_1",
  providerName: "Acme",
  providerType: "openai",
  endpoint: "acme-large",
  default: true,
  settings: { temperature: 0, stop: ["END"], extraBody: { top_k: 40 } },
  capabilities: { tools: true, vision: false, json: null, contextWindow: 128000 },
  pricing: { inputPerMillion: "2.50", outputPerMillion: "10", currency: "EUR" },
  description: null,
  createdAt: "2026-11-22T10:00:00Z",
  updatedAt: "2026-11-22T10:00:00Z",
  version: 1,
};

test("a model comes back from the form as it went in", () => {
  const { name, type, providerId, endpoint, capabilities, pricing, settings } = model;
  expect(createModelRequest(modelValues(model))).toEqual({
    name,
    type,
    providerId,
    endpoint,
    capabilities,
    pricing,
    settings,
    default: true,
  });
  expect(updateModelRequest(modelValues(model), model)).toEqual({});
});

test("what is empty is unknown, never 0", () => {
  expect(createModelRequest(empty)).toMatchObject({
    pricing: null,
    settings: {},
    capabilities: { tools: null, vision: null, json: null, contextWindow: null },
  });
});

test("a change sends the group it is in, and only that", () => {
  const values = { ...modelValues(model), temperature: "", default: false };
  expect(updateModelRequest(values, model)).toEqual({
    default: false,
    settings: { stop: ["END"], extraBody: { top_k: 40 } },
  });
  expect(changedModelWords(model, { ...model, name: "x", pricing: null })).toEqual([
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
] as const)("refuses %s of %s", (field, value, message) => {
  expect(modelIssues({ ...empty, [field]: value })).toEqual([[field, message]]);
});

const priced = (inputPerMillion: string, outputPerMillion: string, currency = "USD") =>
  modelIssues({ ...empty, inputPerMillion, outputPerMillion, currency }).map(([field]) => field);

test("takes both prices or neither", () => {
  expect(priced("1", "")).toEqual(["outputPerMillion"]);
  expect(priced("", "1")).toEqual(["inputPerMillion"]);
  expect(priced("0", ".5")).toEqual([]);
  expect(priced("1e3", "-1")).toEqual(["inputPerMillion", "outputPerMillion"]);
  expect(priced("1000001", "1")).toEqual(["inputPerMillion"]);
  expect(priced("0.12345678901", "1")).toEqual(["inputPerMillion"]);
  expect(priced("1", "1", "dollars")).toEqual(["currency"]);
  expect(priced("", "", "")).toEqual([]);
});

test("wants a model and a name", () => {
  const found = modelSchema.safeParse({ ...empty, endpoint: " ", name: "" });
  expect(found.error?.issues.map((issue) => issue.path[0])).toEqual(["endpoint", "name"]);
});

test("offers names that hold every word, the best first, and says how many are left out", () => {
  const names = ["meta/llama-large", "large-v2", "small"];
  expect(choicesFor(names, "LARGE").shown).toEqual(["large-v2", "meta/llama-large"]);
  expect(choicesFor(names, "large meta").shown).toEqual(["meta/llama-large"]);
  const many = Array.from({ length: 70 }, (_, index) => `m${index}`);
  expect(choicesFor(many, "")).toMatchObject({ hidden: 10 });
  expect(mergedNames(["a", "b"], ["b", "c"])).toEqual(["b", "c", "a"]);
});

test("goes round the list with the arrows", () => {
  expect(movedRow(-1, "ArrowDown", 3)).toBe(0);
  expect(movedRow(2, "ArrowDown", 3)).toBe(0);
  expect(movedRow(-1, "ArrowUp", 3)).toBe(2);
  expect(movedRow(1, "ArrowUp", 3)).toBe(0);
  expect(movedRow(0, "ArrowDown", 0)).toBe(-1);
});

test("tells embedders by their names, prices and addresses in short", () => {
  expect(["text-embedding-3-small", "nomic-embed-text", "gpt-5-mini"].map(kindByName)).toEqual([
    "embedder",
    "embedder",
    "llm",
  ]);
  expect(priceWords(null)).toBe("–");
  expect(priceWords(model.pricing)).toBe("€2.50 in · €10.00 out");
  expect(shortUrl("https://api.openai.com/v1")).toBe("api.openai.com/v1");
});
