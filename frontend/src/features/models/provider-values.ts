/** What the provider form holds, from a stored provider and to what the API takes. */
import type { Provider, ProviderType } from "@/lib/api/types";
import type { components } from "@/lib/api/schema";

import { freeName } from "./provider-types";

type Schemas = components["schemas"];

/** What to do about the stored key: it is never known here, so it can only be kept, replaced or removed. */
export type KeyAction = "keep" | "replace" | "remove";

export interface ProviderValues {
  type: ProviderType;
  name: string;
  baseUrl: string;
  keyAction: KeyAction;
  apiKey: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  region: string;
  apiVersion: string;
  /** Names of models to offer, one a line. */
  models: string;
}

const NO_KEY = { apiKey: "", accessKeyId: "", secretAccessKey: "", sessionToken: "" };

export function newProviderValues(type: ProviderType, taken: readonly string[]): ProviderValues {
  return {
    ...NO_KEY,
    type,
    name: freeName(type, taken),
    baseUrl: "",
    keyAction: "replace",
    region: "",
    apiVersion: "",
    models: "",
  };
}

export function providerValues(provider: Provider): ProviderValues {
  return {
    ...NO_KEY,
    type: provider.type,
    name: provider.name,
    baseUrl: provider.baseUrl ?? "",
    keyAction: provider.hasApiKey ? "keep" : "replace",
    region: provider.options.region ?? "",
    apiVersion: provider.options.apiVersion ?? "",
    models: provider.models.join("\n"),
  };
}

/** The key as the API takes it: Bedrock's is several in one. */
export function keyOf(values: ProviderValues): string {
  if (values.type !== "bedrock") return values.apiKey.trim();
  const parts = [values.accessKeyId, values.secretAccessKey, values.sessionToken];
  return parts
    .map((part) => part.trim())
    .filter(Boolean)
    .join(":");
}

export function createRequest(values: ProviderValues): Schemas["ProviderCreate"] {
  const key = keyOf(values);
  return {
    name: values.name.trim(),
    type: values.type,
    baseUrl: values.baseUrl.trim() || null,
    options: optionsOf(values),
    models: linesOf(values.models),
    ...(key ? { apiKey: key } : {}),
  };
}

/** Only what differs from `base`: what somebody else changed meanwhile is not put back. */
export function updateRequest(values: ProviderValues, base: Provider): Schemas["ProviderUpdate"] {
  const wanted = createRequest(values);
  const before = createRequest(providerValues(base));
  const fields = ["name", "baseUrl", "options", "models"] as const;
  const changed = fields.filter(
    (field) => JSON.stringify(wanted[field]) !== JSON.stringify(before[field]),
  );
  return {
    ...Object.fromEntries(changed.map((field) => [field, wanted[field]])),
    ...keyChange(values),
  };
}

function keyChange(values: ProviderValues): { apiKey?: string | null } {
  if (values.keyAction === "remove") return { apiKey: null };
  const key = values.keyAction === "replace" ? keyOf(values) : "";
  return key ? { apiKey: key } : {};
}

function optionsOf(values: ProviderValues): Schemas["ProviderOptions"] {
  if (values.type === "azure") return { apiVersion: values.apiVersion.trim() || null };
  if (values.type === "bedrock") return { region: values.region.trim() || null };
  return {};
}

/** The lines of a text that say something, each once. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter(Boolean))];
}

const FIELD_WORDS = {
  name: "name",
  baseUrl: "base URL",
  region: "region",
  apiVersion: "API version",
  models: "models to offer",
} as const;

/** What differs between two states of a provider, in the words of the form. */
export function changedWords(before: Provider, after: Provider): string[] {
  const [old, fresh] = [providerValues(before), providerValues(after)];
  const fields = Object.keys(FIELD_WORDS) as (keyof typeof FIELD_WORDS)[];
  const words: string[] = fields
    .filter((field) => old[field] !== fresh[field])
    .map((field) => FIELD_WORDS[field]);
  const key = [before, after].map((one) => `${one.hasApiKey}${one.apiKeyHint}`);
  return key[0] === key[1] ? words : [...words, "API key"];
}
