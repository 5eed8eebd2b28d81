import type { Run } from "@/lib/api/types";

export interface GivenInput {
  name: string;
  /** As the workflow declares it; empty for what it does not declare. */
  type: string;
  value: unknown;
}

/** The values that a run was given: the declared ones in their order, then any others. */
export function inputsOf({ inputs, definition }: Pick<Run, "inputs" | "definition">): GivenInput[] {
  const declared = (definition.inputs ?? []).map(({ name, type }) => ({
    name,
    type: type ?? "",
    value: inputs[name],
  }));
  const known = new Set(declared.map(({ name }) => name));
  const others = Object.entries(inputs)
    .filter(([name]) => !known.has(name))
    .map(([name, value]) => ({ name, type: "", value }));
  return [...declared, ...others];
}
