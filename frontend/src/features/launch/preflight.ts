import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { Provider, RunPreflight } from "@/lib/api/types";

import type { Launch } from "./start-run";

/** What a start with these values would meet; asked anew when they change. */
export const preflightQuery = (launch: Launch) =>
  queryOptions({
    queryKey: ["preflight", launch] as const,
    queryFn: async ({ signal }) =>
      body(await api.POST("/api/v1/runs/preflight", { body: launch as never, signal })),
    // While the next answer is on its way, the last one is better than nothing.
    placeholderData: keepPreviousData,
  });

/** What the panel says of a preflight, told apart by what is to be done. */
export interface Findings {
  /** Inputs that do not fit yet: the form itself shows which. */
  inputs: number;
  /** What stands in the way otherwise, and is not said at a model. */
  problems: string[];
  warnings: string[];
}

export function findingsOf(preflight: RunPreflight, providers: readonly Provider[] = []): Findings {
  const inputs = preflight.problems.filter((one) => one.where?.startsWith("/inputs"));
  const atModels = new Set(preflight.models.map((model) => model.problem?.message));
  const others = preflight.problems.filter(
    (one) => !inputs.includes(one) && !atModels.has(one.message),
  );
  return {
    inputs: inputs.length,
    problems: others.map((one) => one.message),
    warnings: [...preflight.warnings, ...keyless(preflight, providers)],
  };
}

const WITHOUT_KEY: ReadonlySet<string> = new Set(["local", "ollama", "openai_compatible"]);

/** Providers that will refuse, for want of a key; the server contacts nobody before a run starts. */
function keyless({ models }: RunPreflight, providers: readonly Provider[]): string[] {
  const used = new Set(models.map((model) => model.provider?.id));
  return providers
    .filter((one) => used.has(one.id) && !one.hasApiKey && !WITHOUT_KEY.has(one.type))
    .map((one) => `Provider “${one.name}” has no API key: its models will refuse to answer.`);
}

/** Whether anything but an unfilled input keeps the run from starting. */
export function isBlocked(preflight: RunPreflight): boolean {
  const { problems } = findingsOf(preflight);
  return problems.length > 0 || preflight.models.some((model) => model.problem !== null);
}
