/** What the model form holds: every figure as text, from a registered model and to what the API takes. */
import type { Model, Provider } from "@/lib/api/types";
import type { components } from "@/lib/api/schema";

import { linesOf } from "./provider-values";

type Schemas = components["schemas"];
type Settings = Schemas["ModelSettings"];

export type Ability = "unknown" | "yes" | "no";

export interface ModelValues {
  providerId: string;
  endpoint: string;
  name: string;
  type: Model["type"];
  default: boolean;
  tools: Ability;
  vision: Ability;
  json: Ability;
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
  /** One a line. */
  stop: string;
  /** A JSON object. */
  extraBody: string;
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
    endpoint: "",
    name: "",
    type: "llm",
    default: false,
    ...abilityValues({}),
    ...pricingValues(null),
    ...settingValues({}),
  };
}

export function modelValues(model: Model): ModelValues {
  return {
    providerId: model.providerId,
    endpoint: model.endpoint,
    name: model.name,
    type: model.type,
    default: model.default,
    ...abilityValues(model.capabilities),
    ...pricingValues(model.pricing),
    ...settingValues(model.settings),
  };
}

function abilityValues(capabilities: Schemas["ModelCapabilities"]) {
  return {
    tools: abilityOf(capabilities.tools),
    vision: abilityOf(capabilities.vision),
    json: abilityOf(capabilities.json),
    contextWindow: textOf(capabilities.contextWindow),
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
  const numbers = NUMBER_SETTINGS.map((name) => [name, textOf(settings[name])]);
  return {
    ...(Object.fromEntries(numbers) as Record<(typeof NUMBER_SETTINGS)[number], string>),
    reasoningEffort: settings.reasoningEffort ?? "",
    stop: (settings.stop ?? []).join("\n"),
    extraBody: settings.extraBody ? JSON.stringify(settings.extraBody, null, 2) : "",
  };
}

export function createModelRequest(values: ModelValues): Schemas["ModelCreate"] {
  return {
    name: values.name.trim(),
    type: values.type,
    providerId: values.providerId,
    endpoint: values.endpoint.trim(),
    default: values.default,
    capabilities: capabilitiesOf(values),
    pricing: pricingOf(values),
    settings: settingsOf(values),
  };
}

/** Only what differs from `base`: what somebody else changed meanwhile is not put back. */
export function updateModelRequest(values: ModelValues, base: Model): Schemas["ModelUpdate"] {
  const wanted = createModelRequest(values);
  const before = createModelRequest(modelValues(base));
  const fields = [
    "name",
    "providerId",
    "endpoint",
    "default",
    "capabilities",
    "pricing",
    "settings",
  ] as const;
  const changed = fields.filter(
    (field) => JSON.stringify(wanted[field]) !== JSON.stringify(before[field]),
  );
  return Object.fromEntries(changed.map((field) => [field, wanted[field]]));
}

function capabilitiesOf(values: ModelValues): Schemas["ModelCapabilities"] {
  return {
    tools: isAble(values.tools),
    vision: isAble(values.vision),
    json: isAble(values.json),
    contextWindow: numberOf(values.contextWindow),
  };
}

/** Both prices or none: a cost of which a part is unknown is unknown. */
function pricingOf(values: ModelValues): Schemas["Pricing-Input"] | null {
  const [input, output] = [values.inputPerMillion.trim(), values.outputPerMillion.trim()];
  if (!input || !output) return null;
  const currency = values.currency.trim().toUpperCase();
  return { inputPerMillion: input, outputPerMillion: output, currency };
}

function settingsOf(values: ModelValues): Settings {
  const numbers = NUMBER_SETTINGS.map((name) => [name, numberOf(values[name])] as const);
  const stop = linesOf(values.stop);
  return {
    ...Object.fromEntries(numbers.filter(([, value]) => value !== null)),
    ...(values.reasoningEffort.trim() ? { reasoningEffort: values.reasoningEffort.trim() } : {}),
    ...(stop.length > 0 ? { stop } : {}),
    ...(values.extraBody.trim()
      ? { extraBody: JSON.parse(values.extraBody) as Record<string, unknown> }
      : {}),
  };
}

function abilityOf(known: boolean | null | undefined): Ability {
  if (known == null) return "unknown";
  return known ? "yes" : "no";
}

function isAble(ability: Ability): boolean | null {
  return ability === "unknown" ? null : ability === "yes";
}

function textOf(value: number | null | undefined): string {
  return value == null ? "" : String(value);
}

function numberOf(text: string): number | null {
  return text.trim() ? Number(text) : null;
}

const FIELD_WORDS: Record<string, string> = {
  name: "name",
  providerId: "provider",
  endpoint: "model",
  default: "default",
  capabilities: "abilities",
  pricing: "prices",
  settings: "settings",
};

/** What differs between two states of a model, in the words of the form. */
export function changedModelWords(before: Model, after: Model): string[] {
  const changed = updateModelRequest(modelValues(after), before);
  return Object.keys(changed).map((field) => FIELD_WORDS[field] ?? field);
}

/** What a model's name tells of its kind; providers list both without saying which is which. */
export function kindByName(endpoint: string): Model["type"] {
  return /embed|\bbge-|\be5-|minilm/i.test(endpoint) ? "embedder" : "llm";
}
