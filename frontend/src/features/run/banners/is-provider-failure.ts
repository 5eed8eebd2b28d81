import type { RunFailure } from "@/lib/api/types";

const PROVIDER_CODES = new Set(["model-not-found", "no-model", "context-too-long"]);

/** True if the failure can be fixed on the page of providers and models. */
export function isProviderFailure({ code }: Pick<RunFailure, "code">): boolean {
  return code.startsWith("provider-") || PROVIDER_CODES.has(code);
}
