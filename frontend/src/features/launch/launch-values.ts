import type { Budget, InputDefinition } from "@/lib/api/types";

import { shownInputs, type GivenInputs, type ShownInputs } from "./input-values";

export type LimitName = "maxCost" | "maxTokens" | "maxLlmCalls" | "maxSeconds";

/** What the launch form holds. */
export interface LaunchValues {
  inputs: ShownInputs;
  /** The inputs as JSON, while that view is open. */
  json: string;
  budget: Record<LimitName, string>;
  metadata: { key: string; value: string }[];
}

export interface Limit {
  name: LimitName;
  label: string;
  unit: string;
  whole: boolean;
  most: number;
}

export const LIMITS: readonly Limit[] = [
  {
    name: "maxCost",
    label: "Cost",
    unit: "in the currency of the prices",
    whole: false,
    most: 1e9,
  },
  { name: "maxTokens", label: "Tokens", unit: "in and out", whole: true, most: 2 ** 53 },
  { name: "maxLlmCalls", label: "Model calls", unit: "of all agents", whole: true, most: 2 ** 31 },
  {
    name: "maxSeconds",
    label: "Seconds at work",
    unit: "waiting not counted",
    whole: false,
    most: 31_536_000,
  },
];

export function launchValues(
  inputs: readonly InputDefinition[],
  given?: GivenInputs,
): LaunchValues {
  return {
    inputs: shownInputs(inputs, given),
    json: "",
    budget: { maxCost: "", maxTokens: "", maxLlmCalls: "", maxSeconds: "" },
    metadata: [],
  };
}

/** What is wrong with a limit, if anything. */
export function limitProblem(limit: Limit, content: string): string | true {
  const text = content.trim();
  if (text === "") return true;
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) return "Enter a number, or leave it empty.";
  if (value <= 0) return "A limit is more than 0.";
  if (limit.whole && !Number.isInteger(value)) return "Enter a whole number.";
  return value > limit.most ? "This limit is too large." : true;
}

/** The budget as the API takes it; null when nothing is limited. */
export function givenBudget(contents: LaunchValues["budget"]): Budget | null {
  const set = LIMITS.filter(({ name }) => contents[name].trim() !== "");
  if (set.length === 0) return null;
  return Object.fromEntries(
    set.map(({ name }) => {
      const text = contents[name].trim();
      // Money travels as text, so that no digit is lost.
      return [name, name === "maxCost" ? text : Number(text)];
    }),
  ) as Budget;
}

/** The metadata as the API takes it; rows without a key are left out. */
export function givenMetadata(rows: LaunchValues["metadata"]): Record<string, string> {
  return Object.fromEntries(
    rows.flatMap(({ key, value }) => (key.trim() ? [[key.trim(), value]] : [])),
  );
}

/** Where in the form a JSON pointer of the API leads, or null when it leads elsewhere. */
export function fieldAt(
  pointer: string,
  inputs: readonly InputDefinition[],
): `inputs.${string}` | `budget.${LimitName}` | null {
  const [, part, name] = pointer.split("/").map(unescaped);
  if (part === "inputs" && inputs.some((input) => input.name === name)) return `inputs.${name}`;
  const limit = LIMITS.find((one) => one.name === name);
  return part === "budget" && limit ? `budget.${limit.name}` : null;
}

function unescaped(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
