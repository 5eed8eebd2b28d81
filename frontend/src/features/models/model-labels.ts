/** Short labels for models and providers. */
import type { Model } from "@/lib/api/types";
import { formatCost } from "@/lib/format";

const CAPABILITIES = [
  ["tools", "Tools"],
  ["vision", "Images"],
  ["json", "JSON"],
] as const;

/** Returns the labels of the capabilities that the model is known to have. */
export function capabilityLabels(model: Model): string[] {
  return CAPABILITIES.filter(([name]) => model.capabilities[name]).map(([, word]) => word);
}

/** `$2.50 in · $10.00 out`; an unknown price is a dash. */
export function formatPrices(pricing: Model["pricing"]): string {
  if (!pricing) return "–";
  const price = (amount: string) => formatCost({ amount, currency: pricing.currency });
  return `${price(pricing.inputPerMillion)} in · ${price(pricing.outputPerMillion)} out`;
}

export function modelTypeLabel(type: Model["type"]): string {
  return type === "llm" ? "LLM" : "Embedder";
}

/** Shortens a base URL for display: `api.openai.com`, `localhost:11434/v1`. */
export function shortenUrl(url: string): string {
  return url.replace(/^https:\/\//, "").replace(/\/$/, "");
}
