import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Provider, RunPreflight } from "@/lib/api/types";

import type { RunRequest } from "./use-start-run";

/** Checks on the server whether a run with these values could start. `state` is what else the answer depends on. */
export const preflightQuery = (request: RunRequest, state = "") =>
  queryOptions({
    queryKey: ["preflight", request, state] as const,
    queryFn: async ({ signal }) =>
      body(await api.POST("/api/v1/runs/preflight", { body: request as never, signal })),
    // The previous result stays visible while the next one is fetched.
    placeholderData: keepPreviousData,
  });

/** The result of a preflight, grouped by what the user has to do. */
export interface PreflightSummary {
  /** Number of missing or invalid inputs; the form shows which. */
  inputs: number;
  /** Other problems, except those that are shown at a model; `remedy` is where each can be fixed. */
  problems: { message: string; remedy: string | null }[];
  warnings: string[];
}

export function summarizePreflight(
  preflight: RunPreflight,
  providers: readonly Provider[] = [],
): PreflightSummary {
  const inputs = preflight.problems.filter((one) => one.where?.startsWith("/inputs"));
  const atModels = new Set(preflight.models.map((model) => model.problem?.message));
  const others = preflight.problems.filter(
    (one) => !inputs.includes(one) && !atModels.has(one.message),
  );
  return {
    inputs: inputs.length,
    problems: others.map(({ message, remedy }) => ({ message, remedy: remedy ?? null })),
    warnings: [...preflight.warnings, ...warnMissingKeys(preflight, providers)],
  };
}

const KEYLESS_TYPES: ReadonlySet<string> = new Set(["local", "ollama", "openai_compatible"]);

/** Warns of providers without an API key; the server does not contact providers before a run. */
function warnMissingKeys({ models }: RunPreflight, providers: readonly Provider[]): string[] {
  const used = new Set(models.map((model) => model.provider?.id));
  return providers
    .filter((one) => used.has(one.id) && !one.hasApiKey && !KEYLESS_TYPES.has(one.type))
    .map((one) => `Provider “${one.name}” has no API key. Requests to its models will fail.`);
}

/** Whether the run cannot start for a reason other than its inputs. */
export function isBlocked(preflight: RunPreflight): boolean {
  const { problems } = summarizePreflight(preflight);
  return problems.length > 0 || preflight.models.some((model) => model.problem !== null);
}
