/** Which registered model answers for each model that the code of a project asks for. */
import type { Model, Project } from "@/lib/api/types";

/** The key of the map of models that stands for every other name. */
export const OTHER_MODELS = "*";

/** The names for which a model can be chosen: those in the code, those chosen before, and every other one. */
export function listWantedModels({ modelMap, version }: Project): string[] {
  const names = [...(version.inspection.models ?? []), ...Object.keys(modelMap)];
  return [...new Set(names.filter((name) => name !== OTHER_MODELS)), OTHER_MODELS];
}

/** The map with another choice; an empty one removes the entry. */
export function chooseModel(
  modelMap: Readonly<Record<string, string>>,
  name: string,
  model: string,
): Record<string, string> {
  const others = Object.entries(modelMap).filter(([key]) => key !== name);
  return Object.fromEntries(model === "" ? others : [...others, [name, model]]);
}

/** The model that answers for a name without an entry: the one it names, else the one for every other. */
export function findFallback(
  name: string,
  { modelMap }: Pick<Project, "modelMap">,
  models: readonly Model[],
): string | null {
  const named = models.find((model) => listNames(model).includes(name));
  if (name !== OTHER_MODELS && named) return named.name;
  const preset = models.find((model) => model.default && model.type === "llm")?.name ?? null;
  return name === OTHER_MODELS ? preset : (modelMap[OTHER_MODELS] ?? preset);
}

/** The names by which code can ask for a registered model. */
function listNames({ name, providerName, providerType, providerModel }: Model): string[] {
  const models = [providerModel, name];
  return [
    name,
    ...[providerName, providerType].flatMap((provider) =>
      models.map((model) => `${provider}/${model}`),
    ),
  ];
}

/** Environment variables that the code reads and that neither the project nor the server sets. */
export function findUnsetNames({ secretNames, providedNames, version }: Project): string[] {
  const names = version.inspection.environmentNames ?? [];
  return names.filter((name) => !secretNames.includes(name) && !providedNames.includes(name));
}
