/** Converts between providers and form values. */
import type { Provider, ProviderType } from "@/lib/api/types";
import type { components } from "@/lib/api/schema";

import { suggestName } from "./provider-types";

type Schemas = components["schemas"];

/** Action for the stored key, which the browser never receives. */
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
  /** Suggested model names, one per line. */
  models: string;
}

const NO_KEY = { apiKey: "", accessKeyId: "", secretAccessKey: "", sessionToken: "" };

export function newProviderValues(type: ProviderType, taken: readonly string[]): ProviderValues {
  return {
    ...NO_KEY,
    type,
    name: suggestName(type, taken),
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

/** Returns the API key; for Bedrock its three parts joined by colons. */
export function combinedKey(values: ProviderValues): string {
  if (values.type !== "bedrock") return values.apiKey.trim();
  const parts = [values.accessKeyId, values.secretAccessKey, values.sessionToken];
  return parts
    .map((part) => part.trim())
    .filter(Boolean)
    .join(":");
}

export function createProviderRequest(values: ProviderValues): Schemas["ProviderCreate"] {
  const key = combinedKey(values);
  return {
    name: values.name.trim(),
    type: values.type,
    baseUrl: values.baseUrl.trim() || null,
    options: toOptions(values),
    models: uniqueLines(values.models),
    ...(key ? { apiKey: key } : {}),
  };
}

/** Contains only changes against `base`, so that concurrent changes of other fields are kept. */
export function updateProviderRequest(
  values: ProviderValues,
  base: Provider,
): Schemas["ProviderUpdate"] {
  const wanted = createProviderRequest(values);
  const before = createProviderRequest(providerValues(base));
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
  const key = values.keyAction === "replace" ? combinedKey(values) : "";
  return key ? { apiKey: key } : {};
}

function toOptions(values: ProviderValues): Schemas["ProviderOptions"] {
  if (values.type === "azure") return { apiVersion: values.apiVersion.trim() || null };
  if (values.type === "bedrock") return { region: values.region.trim() || null };
  return {};
}

/** Returns the non-empty lines of a text without duplicates. */
export function uniqueLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter(Boolean))];
}

const FIELD_LABELS = {
  name: "name",
  baseUrl: "base URL",
  region: "region",
  apiVersion: "API version",
  models: "suggested models",
} as const;

/** Returns the labels of the fields that differ between two versions of a provider. */
export function changedProviderFields(before: Provider, after: Provider): string[] {
  const [old, fresh] = [providerValues(before), providerValues(after)];
  const fields = Object.keys(FIELD_LABELS) as (keyof typeof FIELD_LABELS)[];
  const words: string[] = fields
    .filter((field) => old[field] !== fresh[field])
    .map((field) => FIELD_LABELS[field]);
  const key = [before, after].map((one) => `${one.hasApiKey}${one.apiKeyHint}`);
  return key[0] === key[1] ? words : [...words, "API key"];
}
