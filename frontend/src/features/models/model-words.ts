/** A model's facts in the few words that a row has room for. */
import type { Model } from "@/lib/api/types";
import { formatCost } from "@/lib/format";

const ABILITIES = [
  ["tools", "Tools"],
  ["vision", "Images"],
  ["json", "JSON"],
] as const;

/** What it is known to be able to do. */
export function abilitiesOf(model: Model): string[] {
  return ABILITIES.filter(([name]) => model.capabilities[name]).map(([, word]) => word);
}

/** `$2.50 in · $10.00 out`; an unknown price is a dash. */
export function priceWords(pricing: Model["pricing"]): string {
  if (!pricing) return "–";
  const price = (amount: string) => formatCost({ amount, currency: pricing.currency });
  return `${price(pricing.inputPerMillion)} in · ${price(pricing.outputPerMillion)} out`;
}

export function kindWord(type: Model["type"]): string {
  return type === "llm" ? "LLM" : "Embedder";
}

/** Where a provider is reached, short: `api.openai.com`, `localhost:11434/v1`. */
export function shortUrl(url: string): string {
  return url.replace(/^https:\/\//, "").replace(/\/$/, "");
}
