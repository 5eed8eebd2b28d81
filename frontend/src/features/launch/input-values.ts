import type { InputDefinition } from "@/lib/api/types";

/** The value of a form control: a text, or whether a checkbox is checked. */
export type InputFormValue = string | boolean;
export type InputFormValues = Record<string, InputFormValue>;
export type RunInputs = Record<string, unknown>;

/** `omitted`: the input is not sent, so that its default applies. */
type ParsedInput = { value: unknown } | { problem: string } | "omitted";

const LARGEST = 2 ** 53;

/** The initial values of the form: the given inputs, else the defaults. */
export function toFormValues(
  inputs: readonly InputDefinition[],
  given: RunInputs = {},
): InputFormValues {
  return Object.fromEntries(
    inputs.map((input) => [input.name, toFormValue(input, given[input.name] ?? input.default)]),
  );
}

function toFormValue(input: InputDefinition, value: unknown): InputFormValue {
  if (isChoice(input)) return value == null ? "" : JSON.stringify(value);
  if (input.type === "boolean") return value === true;
  if (value == null) return "";
  // A text that reads as another JSON value is shown in quotes, so that it stays a text.
  const isQuoted = input.type === "any" && typeof value === "string" && readJson(value) !== value;
  return isQuoted ? JSON.stringify(value) : formatInputValue(value);
}

/** Whether the workflow lists the possible values. */
export function isChoice(input: InputDefinition): boolean {
  return (input.enum?.length ?? 0) > 0;
}

/** Parses the value of a form control. */
export function parseInput(input: InputDefinition, content: InputFormValue): ParsedInput {
  if (typeof content === "boolean") return { value: content };
  if (isChoice(input)) return parseChoice(input, content);
  if (input.type === "integer" || input.type === "number") return parseNumber(input, content);
  if (input.type === "array" || input.type === "object") return parseStructure(input, content);
  const parsed = parseText(input, content);
  const isAny = input.type === "any" && parsed !== "omitted" && "value" in parsed;
  return isAny ? { value: readJson(content) } : parsed;
}

/** The JSON value of a text; the text itself when it is not JSON, null, or a number written otherwise. */
function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // `1.10`, `1e3` and numbers with too many digits would change.
    const isChanged = typeof value === "number" && JSON.stringify(value) !== text.trim();
    return value === null || isChanged ? text : value;
  } catch {
    return text;
  }
}

function parseStructure(input: InputDefinition, content: string): ParsedInput {
  if (content.trim() === "") return parseEmpty(input);
  const value = readJson(content);
  const isList = Array.isArray(value);
  if (input.type === "array" && isList) return { value };
  if (input.type === "object" && !isList && typeof value === "object") return { value };
  return {
    problem:
      input.type === "array"
        ? 'Enter a JSON list, such as ["a", 2].'
        : 'Enter a JSON object, such as {"name": "Ann"}.',
  };
}

function parseChoice(input: InputDefinition, content: string): ParsedInput {
  if (content === "") return parseEmpty(input);
  const choice = input.enum?.find((one) => JSON.stringify(one) === content);
  return choice === undefined
    ? { problem: "Choose one of the listed values." }
    : { value: choice as unknown };
}

function parseNumber(input: InputDefinition, content: string): ParsedInput {
  const text = content.trim();
  if (text === "") return parseEmpty(input);
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) {
    const example = input.type === "integer" ? "such as 12" : "such as 12 or 0.5";
    return { problem: `Enter a number, ${example}.` };
  }
  if (input.type === "integer" && !Number.isInteger(value)) {
    return { problem: "Enter a whole number." };
  }
  return Math.abs(value) >= LARGEST ? { problem: "This number is too large." } : { value };
}

function parseText(input: InputDefinition, content: string): ParsedInput {
  if (content.trim() === "" && input.required) return { problem: "This is required." };
  return content === "" && input.default == null ? "omitted" : { value: content };
}

function parseEmpty(input: InputDefinition): ParsedInput {
  const isRequired = input.required && input.default == null;
  return isRequired ? { problem: "This is required." } : "omitted";
}

/** The error of a form control, or true: as React Hook Form expects it. */
export function validateInput(input: InputDefinition, content: InputFormValue): string | true {
  const parsed = parseInput(input, content);
  return typeof parsed === "object" && "problem" in parsed ? parsed.problem : true;
}

/** The inputs of the run; invalid values are omitted, because the form reports them. */
export function toRunInputs(
  inputs: readonly InputDefinition[],
  contents: InputFormValues,
): RunInputs {
  const given: RunInputs = {};
  for (const input of inputs) {
    const parsed = parseInput(input, contents[input.name] ?? "");
    if (typeof parsed === "object" && "value" in parsed) given[input.name] = parsed.value;
  }
  return given;
}

/** The form values as JSON; invalid values stay as they were entered. */
export function toJson(inputs: readonly InputDefinition[], contents: InputFormValues): string {
  const members = inputs.map((input) => {
    const content = contents[input.name] ?? "";
    const parsed = parseInput(input, content);
    if (parsed === "omitted") return [input.name, input.default ?? null];
    return [input.name, "value" in parsed ? parsed.value : content || null];
  });
  return JSON.stringify(Object.fromEntries(members), null, 2);
}

/** Parses the JSON view; members that are null are omitted. */
export function parseJson(text: string): { given: RunInputs } | { problem: string } {
  try {
    const parsed: unknown = JSON.parse(text.trim() || "{}");
    if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
      return { problem: 'Enter a JSON object: { "name": value }.' };
    }
    const members = Object.entries(parsed).filter(([, value]) => value !== null);
    return { given: Object.fromEntries(members) };
  } catch (error) {
    return { problem: `Invalid JSON: ${(error as Error).message}` };
  }
}

/** Explains why the form cannot show some inputs without changing them; empty when it can show all. */
export function findUnsupportedInputs(
  inputs: readonly InputDefinition[],
  given: RunInputs,
): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const input = inputs.find((one) => one.name === name);
    if (!input) return [`“${name}” is not an input of this workflow.`];
    if (isChoice(input)) return [];
    if (input.type === "boolean") {
      return typeof value === "boolean" ? [] : [`“${name}” must be true or false.`];
    }
    return fitsControl(input, value)
      ? []
      : [`“${name}” must be ${TYPE_NAMES[input.type ?? "string"]}.`];
  });
}

function fitsControl(input: InputDefinition, value: unknown): boolean {
  if (input.type === "any") return true;
  if (input.type === "array") return Array.isArray(value);
  if (input.type === "object") return typeof value === "object" && !Array.isArray(value);
  return typeof value !== "object" && typeof value !== "boolean";
}

const TYPE_NAMES = {
  string: "text",
  text: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a JSON object",
  any: "any value",
};

/** The names of earlier inputs that the workflow no longer has. */
export function findRemovedInputs(inputs: readonly InputDefinition[], given: RunInputs): string[] {
  return Object.keys(given).filter((name) => !inputs.some((input) => input.name === name));
}

/** A value as text, for hints and summaries. */
export function formatInputValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
