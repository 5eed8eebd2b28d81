import type { Project } from "@/lib/api/types";

import { OTHER_MODELS } from "./open-steps";

/** The names for which a model can be chosen: those in the code, those chosen before, and every other one. */
export function listWantedModels({ modelMap, version }: Project): string[] {
  const names = [...(version.inspection.models ?? []), ...Object.keys(modelMap)];
  return [...new Set(names.filter((name) => name !== OTHER_MODELS)), OTHER_MODELS];
}

/** The map to save: names without a chosen model are left out. */
export function toModelMap(chosen: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(chosen).filter(([, model]) => model !== ""));
}
