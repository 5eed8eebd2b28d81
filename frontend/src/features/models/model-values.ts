/** Converts between models and form values; the form holds numbers as text. */
import type { Model, Provider } from "@/lib/api/types";
import type { components } from "@/lib/api/schema";

import { uniqueLines } from "./provider-values";

type Schemas = components["schemas"];
type Settings = Schemas["RegisteredModelSettings"];

export type Capability = "unknown" | "yes" | "no";

export interface ModelValues {
  providerId: string;
  providerModel: string;
  endpoint: string;
  name: string;
  type: Model["type"];
  default: boolean;
  tools: Capability;
  vision: Capability;
  json: Capability;
  contextWindow: string;
  inputPerMillion: string;
  outputPerMillion: string;
  currency: string;
  temperature: string;
  topP: string;
  maxTokens: string;
  timeoutSeconds: string;
  maxRetries: string;
  seed: string;
  frequencyPenalty: string;
  presencePenalty: string;
  reasoningEffort: string;
  /** One per line. */
  stop: string;
  /** A JSON object. */
  extraBody: string;
  stream: Capability;
  maxTokensParameter: string;
  systemRole: string;
  /** One per line. */
  omitParameters: string;
}

const NUMBER_SETTINGS = [
  "temperature",
  "topP",
  "maxTokens",
  "timeoutSeconds",
  "maxRetries",
  "seed",
  "frequencyPenalty",
  "presencePenalty",
] as const;

export function newModelValues(provider: Provider | undefined): ModelValues {
  return {
    providerId: provider?.id ?? "",
    providerModel: "",
    endpoint: "",
    name: "",
    type: "llm",
    default: false,
    ...capabilityValues({}),
    ...pricingValues(null),
    ...settingValues({}),
  };
}

export function modelValues(model: Model): ModelValues {
  return {
    providerId: model.providerId,
    providerModel: model.providerModel,
    endpoint: model.endpoint ?? "",
    name: model.name,
    type: model.type,
    default: model.default,
    ...capabilityValues(model.capabilities),
    ...pricingValues(model.pricing),
    ...settingValues(model.settings),
  };
}

function capabilityValues(capabilities: Schemas["ModelCapabilities"]) {
  return {
    tools: toCapability(capabilities.tools),
    vision: toCapability(capabilities.vision),
    json: toCapability(capabilities.json),
    contextWindow: toText(capabilities.contextWindow),
  };
}

function pricingValues(pricing: Model["pricing"]) {
  return {
    inputPerMillion: pricing?.inputPerMillion ?? "",
    outputPerMillion: pricing?.outputPerMillion ?? "",
    currency: pricing?.currency ?? "USD",
  };
}

function settingValues(settings: Settings) {
  const numbers = NUMBER_SETTINGS.map((name) => [name, toText(settings[name])]);
  return {
    ...(Object.fromEntries(numbers) as Record<(typeof NUMBER_SETTINGS)[number], string>),
    reasoningEffort: settings.reasoningEffort ?? "",
    stop: (settings.stop ?? []).join("\n"),
    extraBody: settings.extraBody ? JSON.stringify(settings.extraBody, null, 2) : "",
    stream: toCapability(settings.stream),
    maxTokensParameter: settings.maxTokensParameter ?? "",
    systemRole: settings.systemRole ?? "",
    omitParameters: (settings.omitParameters ?? []).join("\n"),
  };
}

export function createModelRequest(values: ModelValues): Schemas["ModelCreate"] {
  return {
    name: values.name.trim(),
    type: values.type,
    providerId: values.providerId,
    providerModel: values.providerModel.trim(),
    endpoint: values.endpoint.trim() || null,
    default: values.default,
    capabilities: toCapabilities(values),
    pricing: toPricing(values),
    settings: toSettings(values),
  };
}

/** Contains only changes against `base`, so that concurrent changes of other fields are kept. */
export function updateModelRequest(values: ModelValues, base: Model): Schemas["ModelUpdate"] {
  const next = createModelRequest(values);
  const previous = createModelRequest(modelValues(base));
  const fields = [
    "name",
    "providerId",
    "providerModel",
    "endpoint",
    "default",
    "capabilities",
    "pricing",
    "settings",
  ] as const;
  const changed = fields.filter(
    (field) => JSON.stringify(next[field]) !== JSON.stringify(previous[field]),
  );
  return Object.fromEntries(changed.map((field) => [field, next[field]]));
}

function toCapabilities(values: ModelValues): Schemas["ModelCapabilities"] {
  return {
    tools: fromCapability(values.tools),
    vision: fromCapability(values.vision),
    json: fromCapability(values.json),
    contextWindow: toNumber(values.contextWindow),
  };
}

/** Null unless both prices are set: a cost with an unknown part is unknown. */
function toPricing(values: ModelValues): Schemas["Pricing-Input"] | null {
  const [input, output] = [values.inputPerMillion.trim(), values.outputPerMillion.trim()];
  if (!input || !output) return null;
  const currency = values.currency.trim().toUpperCase();
  return { inputPerMillion: input, outputPerMillion: output, currency };
}

function toSettings(values: ModelValues): Settings {
  const numbers = NUMBER_SETTINGS.map((name) => [name, toNumber(values[name])] as const);
  const stop = uniqueLines(values.stop);
  return {
    ...Object.fromEntries(numbers.filter(([, value]) => value !== null)),
    ...(values.reasoningEffort.trim() ? { reasoningEffort: values.reasoningEffort.trim() } : {}),
    ...(stop.length > 0 ? { stop } : {}),
    ...(values.extraBody.trim()
      ? { extraBody: JSON.parse(values.extraBody) as Record<string, unknown> }
      : {}),
    ...toRequestSettings(values),
  };
}

/** What the model's requests may contain; empty fields are left to the server. */
function toRequestSettings(values: ModelValues): Settings {
  const omitted = uniqueLines(values.omitParameters) as NonNullable<Settings["omitParameters"]>;
  const stream = fromCapability(values.stream);
  return {
    ...(stream === null ? {} : { stream }),
    ...(values.maxTokensParameter
      ? { maxTokensParameter: values.maxTokensParameter as Settings["maxTokensParameter"] }
      : {}),
    ...(values.systemRole ? { systemRole: values.systemRole as Settings["systemRole"] } : {}),
    ...(omitted.length > 0 ? { omitParameters: omitted } : {}),
  };
}

function toCapability(known: boolean | null | undefined): Capability {
  if (known == null) return "unknown";
  return known ? "yes" : "no";
}

function fromCapability(ability: Capability): boolean | null {
  return ability === "unknown" ? null : ability === "yes";
}

function toText(value: number | null | undefined): string {
  return value == null ? "" : String(value);
}

function toNumber(text: string): number | null {
  return text.trim() ? Number(text) : null;
}

const FIELD_LABELS: Record<string, string> = {
  name: "name",
  providerId: "provider",
  providerModel: "model",
  endpoint: "endpoint",
  default: "default",
  capabilities: "capabilities",
  pricing: "prices",
  settings: "settings",
};

/** Returns the labels of the fields that differ between two versions of a model. */
export function changedModelFields(before: Model, after: Model): string[] {
  const changed = updateModelRequest(modelValues(after), before);
  return Object.keys(changed).map((field) => FIELD_LABELS[field] ?? field);
}

/** Guesses the type of a model from its name; providers do not list it. */
export function guessModelType(providerModel: string): Model["type"] {
  return /embed|\bbge-|\be5-|minilm/i.test(providerModel) ? "embedder" : "llm";
}
