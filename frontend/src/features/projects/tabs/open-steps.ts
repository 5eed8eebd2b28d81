import type { Project } from "@/lib/api/types";

/** The key of the map of models that stands for every other name. */
export const OTHER_MODELS = "*";

/** Environment variables that the code reads and that are not set. */
export function findUnsetNames({ secretNames, version }: Project): string[] {
  const names = version.inspection.environmentNames ?? [];
  return names.filter((name) => !secretNames.includes(name));
}

/** Models that the code names and for which no registered model is chosen. */
export function findUnmappedModels({ modelMap, version }: Project): string[] {
  if (OTHER_MODELS in modelMap) return [];
  return (version.inspection.models ?? []).filter((name) => !(name in modelMap));
}
