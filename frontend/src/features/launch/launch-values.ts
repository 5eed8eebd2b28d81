import type { Budget, InputDefinition } from "@/lib/api/types";

import { toFormValues, type InputFormValues, type RunInputs } from "./input-values";

export type LimitName = "maxCost" | "maxTokens" | "maxLlmCalls" | "maxSeconds";

export type InputsView = "form" | "json";

/** The values of the form that starts a run. */
export interface LaunchValues {
  inputs: InputFormValues;
  /** The text of the JSON view. */
  json: string;
  budget: Record<LimitName, string>;
  metadata: { key: string; value: string }[];
}

export interface Limit {
  name: LimitName;
  label: string;
  hint: string;
  isInteger: boolean;
  max: number;
}

export const LIMITS: readonly Limit[] = [
  {
    name: "maxCost",
    label: "Cost",
    hint: "In the currency of the model prices",
    isInteger: false,
    max: 1e9,
  },
  { name: "maxTokens", label: "Tokens", hint: "Input and output", isInteger: true, max: 2 ** 53 },
  {
    name: "maxLlmCalls",
    label: "Model calls",
    hint: "All agents together",
    isInteger: true,
    max: 2 ** 31,
  },
  {
    name: "maxSeconds",
    label: "Active time (seconds)",
    hint: "Without waiting time",
    isInteger: false,
    max: 31_536_000,
  },
];

export function createLaunchValues(
  inputs: readonly InputDefinition[],
  given?: RunInputs,
): LaunchValues {
  return {
    inputs: toFormValues(inputs, given),
    json: "",
    budget: { maxCost: "", maxTokens: "", maxLlmCalls: "", maxSeconds: "" },
    metadata: [],
  };
}

/** The error of a limit, or true: as React Hook Form expects it. */
export function validateLimit(limit: Limit, content: string): string | true {
  const text = content.trim();
  if (text === "") return true;
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) return "Enter a number, or leave it empty.";
  if (value <= 0) return "Enter a number greater than 0.";
  if (limit.isInteger && !Number.isInteger(value)) return "Enter a whole number.";
  return value > limit.max ? "This limit is too large." : true;
}

/** The budget for the API; null without limits. */
export function toBudget(contents: LaunchValues["budget"]): Budget | null {
  const set = LIMITS.filter(({ name }) => contents[name].trim() !== "");
  if (set.length === 0) return null;
  return Object.fromEntries(
    set.map(({ name }) => {
      const text = contents[name].trim();
      // The API takes money as text, so that no digit is lost.
      return [name, name === "maxCost" ? text : Number(text)];
    }),
  ) as Budget;
}

/** The metadata for the API; rows without a key are omitted. */
export function toMetadata(rows: LaunchValues["metadata"]): Record<string, string> {
  return Object.fromEntries(
    rows.flatMap(({ key, value }) => (key.trim() ? [[key.trim(), value]] : [])),
  );
}

/** The form field that a JSON pointer of an API error refers to, if any. */
export function findFormField(
  pointer: string,
  inputs: readonly InputDefinition[],
): `inputs.${string}` | `budget.${LimitName}` | null {
  const [, part, name] = pointer.split("/").map(unescapePointer);
  if (part === "inputs" && inputs.some((input) => input.name === name)) return `inputs.${name}`;
  const limit = LIMITS.find((one) => one.name === name);
  return part === "budget" && limit ? `budget.${limit.name}` : null;
}

function unescapePointer(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
