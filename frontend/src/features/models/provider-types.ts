/** Provider types and their details in the form. */
import type { ProviderType } from "@/lib/api/types";

export type ConnectableType = Exclude<ProviderType, "local">;

export interface ProviderKind {
  title: string;
  /** One line in the type picker. */
  summary: string;
  /** Two letters for its icon. */
  initials: string;
  /** Default base URL. */
  baseUrl: string | null;
  /** Example for types that require a base URL. */
  baseUrlExample?: string;
  /** Whether a key is required: `own-service` means only at the default base URL. */
  key: "always" | "own-service" | "optional";
  keyPage?: string;
  /** The Python extra that runs with this provider need. */
  extra?: string;
}

export const PROVIDER_KINDS: Record<ProviderType, ProviderKind> = {
  openai: {
    title: "OpenAI",
    summary: "GPT models and embeddings",
    initials: "OA",
    baseUrl: "https://api.openai.com/v1",
    key: "own-service",
    keyPage: "https://platform.openai.com/api-keys",
  },
  anthropic: {
    title: "Anthropic",
    summary: "Claude models",
    initials: "An",
    baseUrl: "https://api.anthropic.com",
    key: "always",
    keyPage: "https://console.anthropic.com/settings/keys",
    extra: "anthropic",
  },
  gemini: {
    title: "Google Gemini",
    summary: "Gemini models",
    initials: "Ge",
    baseUrl: "https://generativelanguage.googleapis.com",
    key: "always",
    keyPage: "https://aistudio.google.com/apikey",
    extra: "gemini",
  },
  azure: {
    title: "Azure OpenAI",
    summary: "Your own deployments",
    initials: "Az",
    baseUrl: null,
    baseUrlExample: "https://NAME.openai.azure.com",
    key: "always",
    keyPage: "https://portal.azure.com",
  },
  bedrock: {
    title: "Amazon Bedrock",
    summary: "Models in your AWS account",
    initials: "Be",
    baseUrl: "https://bedrock-runtime.us-east-1.amazonaws.com",
    key: "always",
    keyPage: "https://console.aws.amazon.com/iam/home#/security_credentials",
    extra: "bedrock",
  },
  ollama: {
    title: "Ollama",
    summary: "Open models on your machine",
    initials: "Ol",
    baseUrl: "http://localhost:11434/v1",
    key: "optional",
  },
  openrouter: {
    title: "OpenRouter",
    summary: "Many vendors, one key",
    initials: "OR",
    baseUrl: "https://openrouter.ai/api/v1",
    key: "own-service",
    keyPage: "https://openrouter.ai/settings/keys",
  },
  groq: {
    title: "Groq",
    summary: "Open models, very fast",
    initials: "Gr",
    baseUrl: "https://api.groq.com/openai/v1",
    key: "own-service",
    keyPage: "https://console.groq.com/keys",
  },
  mistral: {
    title: "Mistral",
    summary: "Mistral models and embeddings",
    initials: "Mi",
    baseUrl: "https://api.mistral.ai/v1",
    key: "own-service",
    keyPage: "https://console.mistral.ai/api-keys",
  },
  deepseek: {
    title: "DeepSeek",
    summary: "Chat and reasoning models",
    initials: "DS",
    baseUrl: "https://api.deepseek.com/v1",
    key: "own-service",
    keyPage: "https://platform.deepseek.com/api_keys",
  },
  openai_compatible: {
    title: "OpenAI-compatible",
    summary: "vLLM, LM Studio, LiteLLM, …",
    initials: "{ }",
    baseUrl: null,
    baseUrlExample: "http://localhost:8000/v1",
    key: "optional",
  },
  local: {
    title: "Built-in local model",
    summary: "Small model for trials, runs on this server without a key",
    initials: "",
    baseUrl: null,
    key: "optional",
  },
};

/** In display order. */
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

/** Whether calls need a key; a self-hosted server with a vendor's protocol may need none. */
export function needsKey(type: ProviderType, baseUrl: string): boolean {
  const kind = PROVIDER_KINDS[type];
  if (kind.key !== "own-service") return kind.key === "always";
  const given = baseUrl.trim().replace(/\/+$/, "");
  return given === "" || given === kind.baseUrl;
}

/** Whether extra request body members are supported: only in OpenAI's protocol. */
export function usesOpenAiProtocol(type: ProviderType): boolean {
  return type !== "anthropic" && type !== "gemini" && type !== "bedrock";
}

/** Whether calls use plain HTTP. */
export function isPlainHttp(type: ProviderType, baseUrl: string): boolean {
  return (baseUrl.trim() || (PROVIDER_KINDS[type].baseUrl ?? "")).startsWith("http://");
}

/** Returns the type's title, with a number if the name is taken: `OpenAI 2`. */
export function suggestName(type: ProviderType, taken: readonly string[]): string {
  const { title } = PROVIDER_KINDS[type];
  let name = title;
  for (let number = 2; taken.includes(name); number += 1) name = `${title} ${number}`;
  return name;
}
