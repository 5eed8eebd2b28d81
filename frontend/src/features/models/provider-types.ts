/** The kinds of provider a person can connect, and what the form says about each. */
import type { ProviderType } from "@/lib/api/types";

export type ConnectableType = Exclude<ProviderType, "local">;

export interface ProviderKind {
  title: string;
  /** One line on the card it is chosen by. */
  summary: string;
  /** Two letters on its tile. */
  mark: string;
  /** Where it is reached when no base URL is given. */
  baseUrl: string | null;
  /** How a base URL of this kind looks, where one must be given. */
  baseUrlExample?: string;
  /** `always`: no call without one. `own-service`: needed at the vendor's own address only. */
  key: "always" | "own-service" | "optional";
  keyPage?: string;
  /** The optional part of the installation that runs with it need. */
  extra?: string;
}

export const PROVIDER_KINDS: Record<ProviderType, ProviderKind> = {
  openai: {
    title: "OpenAI",
    summary: "GPT models and embeddings",
    mark: "OA",
    baseUrl: "https://api.openai.com/v1",
    key: "own-service",
    keyPage: "https://platform.openai.com/api-keys",
  },
  anthropic: {
    title: "Anthropic",
    summary: "Claude models",
    mark: "An",
    baseUrl: "https://api.anthropic.com",
    key: "always",
    keyPage: "https://console.anthropic.com/settings/keys",
    extra: "anthropic",
  },
  gemini: {
    title: "Google Gemini",
    summary: "Gemini models",
    mark: "Ge",
    baseUrl: "https://generativelanguage.googleapis.com",
    key: "always",
    keyPage: "https://aistudio.google.com/apikey",
    extra: "gemini",
  },
  azure: {
    title: "Azure OpenAI",
    summary: "Your own deployments",
    mark: "Az",
    baseUrl: null,
    baseUrlExample: "https://NAME.openai.azure.com",
    key: "always",
    keyPage: "https://portal.azure.com",
  },
  bedrock: {
    title: "Amazon Bedrock",
    summary: "Models in your AWS account",
    mark: "Be",
    baseUrl: "https://bedrock-runtime.us-east-1.amazonaws.com",
    key: "always",
    keyPage: "https://console.aws.amazon.com/iam/home#/security_credentials",
    extra: "bedrock",
  },
  ollama: {
    title: "Ollama",
    summary: "Open models on your machine",
    mark: "Ol",
    baseUrl: "http://localhost:11434/v1",
    key: "optional",
  },
  openrouter: {
    title: "OpenRouter",
    summary: "Many vendors, one key",
    mark: "OR",
    baseUrl: "https://openrouter.ai/api/v1",
    key: "own-service",
    keyPage: "https://openrouter.ai/settings/keys",
  },
  groq: {
    title: "Groq",
    summary: "Open models, very fast",
    mark: "Gr",
    baseUrl: "https://api.groq.com/openai/v1",
    key: "own-service",
    keyPage: "https://console.groq.com/keys",
  },
  mistral: {
    title: "Mistral",
    summary: "Mistral models and embeddings",
    mark: "Mi",
    baseUrl: "https://api.mistral.ai/v1",
    key: "own-service",
    keyPage: "https://console.mistral.ai/api-keys",
  },
  deepseek: {
    title: "DeepSeek",
    summary: "Chat and reasoning models",
    mark: "DS",
    baseUrl: "https://api.deepseek.com/v1",
    key: "own-service",
    keyPage: "https://platform.deepseek.com/api_keys",
  },
  openai_compatible: {
    title: "OpenAI-compatible",
    summary: "vLLM, LM Studio, LiteLLM, …",
    mark: "{ }",
    baseUrl: null,
    baseUrlExample: "http://localhost:8000/v1",
    key: "optional",
  },
  local: {
    title: "Built-in local model",
    summary: "Small, runs here, no key; for trying out",
    mark: "",
    baseUrl: null,
    key: "optional",
  },
};

/** In the order in which they are offered. */
export const CONNECTABLE_TYPES: readonly ConnectableType[] = [
  "openai",
  "anthropic",
  "gemini",
  "azure",
  "bedrock",
  "ollama",
  "openrouter",
  "groq",
  "mistral",
  "deepseek",
  "openai_compatible",
];

/** Whether calls fail without a key: a server of one's own that speaks like a vendor may need none. */
export function needsKey(type: ProviderType, baseUrl: string): boolean {
  const kind = PROVIDER_KINDS[type];
  if (kind.key !== "own-service") return kind.key === "always";
  const given = baseUrl.trim().replace(/\/+$/, "");
  return given === "" || given === kind.baseUrl;
}

/** Whether settings may carry members of the request body that only OpenAI's protocol has. */
export function speaksOpenAi(type: ProviderType): boolean {
  return type !== "anthropic" && type !== "gemini" && type !== "bedrock";
}

/** Whether calls go over plain HTTP, so that there is no encryption to agree on. */
export function isPlainHttp(type: ProviderType, baseUrl: string): boolean {
  return (baseUrl.trim() || (PROVIDER_KINDS[type].baseUrl ?? "")).startsWith("http://");
}

/** The type's title, or the first like it that nobody has: `OpenAI 2`. */
export function freeName(type: ProviderType, taken: readonly string[]): string {
  const { title } = PROVIDER_KINDS[type];
  let name = title;
  for (let number = 2; taken.includes(name); number += 1) name = `${title} ${number}`;
  return name;
}
