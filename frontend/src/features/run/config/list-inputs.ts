import type { Run } from "@/lib/api/types";

export interface RunInput {
  name: string;
  /** The declared type; empty for undeclared inputs. */
  type: string;
  value: unknown;
}

/** The inputs of a run: declared inputs in order, then all others. */
export function listInputs({ inputs, definition }: Pick<Run, "inputs" | "definition">): RunInput[] {
  const declared = (definition.inputs ?? []).map(({ name, type }) => ({
    name,
    type: type ?? "",
    value: inputs[name],
  }));
  const declaredNames = new Set(declared.map(({ name }) => name));
  const undeclared = Object.entries(inputs)
    .filter(([name]) => !declaredNames.has(name))
    .map(([name, value]) => ({ name, type: "", value }));
  return [...declared, ...undeclared];
}
