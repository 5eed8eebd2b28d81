import type { InputDefinition } from "@/lib/api/types";

/** What a control of the form holds: ticked or not, else the text that stands in it. */
export type Shown = string | boolean;
export type ShownInputs = Record<string, Shown>;
export type GivenInputs = Record<string, unknown>;

type Read = { value: unknown } | { problem: string } | "left out";

const LARGEST = 2 ** 53;

/** What the form shows at first: the given values, else the defaults. */
export function shownInputs(
  inputs: readonly InputDefinition[],
  given: GivenInputs = {},
): ShownInputs {
  return Object.fromEntries(
    inputs.map((input) => [input.name, shown(input, given[input.name] ?? input.default)]),
  );
}

function shown(input: InputDefinition, value: unknown): Shown {
  if (isChoice(input)) return value == null ? "" : JSON.stringify(value);
  if (input.type === "boolean") return value === true;
  if (value == null) return "";
  return inWords(value);
}

/** Whether the value is one of a few that the workflow lists. */
export function isChoice(input: InputDefinition): boolean {
  return (input.enum?.length ?? 0) > 0;
}

/** The value that a control's content stands for, or what is wrong with it. */
export function readInput(input: InputDefinition, content: Shown): Read {
  if (typeof content === "boolean") return { value: content };
  if (isChoice(input)) return readChoice(input, content);
  if (input.type === "integer" || input.type === "number") return readNumber(input, content);
  return readText(input, content);
}

function readChoice(input: InputDefinition, content: string): Read {
  if (content === "") return absent(input);
  const choice = input.enum?.find((one) => JSON.stringify(one) === content);
  return choice === undefined
    ? { problem: "Choose one of the listed values." }
    : { value: choice as unknown };
}

function readNumber(input: InputDefinition, content: string): Read {
  const text = content.trim();
  if (text === "") return absent(input);
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

function readText(input: InputDefinition, content: string): Read {
  if (content.trim() === "" && input.required) return { problem: "This is required." };
  return content === "" && input.default == null ? "left out" : { value: content };
}

/** Nothing is given: the server then takes the default. */
function absent(input: InputDefinition): Read {
  const needed = input.required && input.default == null;
  return needed ? { problem: "This is required." } : "left out";
}

/** What is wrong with a control's content, if anything: for the form. */
export function problemOf(input: InputDefinition, content: Shown): string | true {
  const read = readInput(input, content);
  return typeof read === "object" && "problem" in read ? read.problem : true;
}

/** The values that a run is started with. What cannot be read is passed over: the form has told of it. */
export function givenInputs(
  inputs: readonly InputDefinition[],
  contents: ShownInputs,
): GivenInputs {
  const given: GivenInputs = {};
  for (const input of inputs) {
    const read = readInput(input, contents[input.name] ?? "");
    if (typeof read === "object" && "value" in read) given[input.name] = read.value;
  }
  return given;
}

/** What the JSON view shows for a form: what can be read as its value, the rest as it stands. */
export function asJson(inputs: readonly InputDefinition[], contents: ShownInputs): string {
  const members = inputs.map((input) => {
    const content = contents[input.name] ?? "";
    const read = readInput(input, content);
    if (read === "left out") return [input.name, input.default ?? null];
    return [input.name, "value" in read ? read.value : content || null];
  });
  return JSON.stringify(Object.fromEntries(members), null, 2);
}

/** A JSON text as the values of a run. */
export function fromJson(text: string): { given: GivenInputs } | { problem: string } {
  try {
    const read: unknown = JSON.parse(text.trim() || "{}");
    if (read === null || typeof read !== "object" || Array.isArray(read)) {
      return { problem: 'The inputs are one object: { "name": value }.' };
    }
    return { given: withoutNulls(read as GivenInputs) };
  } catch (error) {
    return { problem: `This is not valid JSON: ${(error as Error).message}` };
  }
}

function withoutNulls(given: GivenInputs): GivenInputs {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

/** What the form could not show without changing it; empty when the form can take over. */
export function unshowable(inputs: readonly InputDefinition[], given: GivenInputs): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const input = inputs.find((one) => one.name === name);
    if (!input) return [`“${name}” is not an input of this workflow.`];
    if (isChoice(input)) return [];
    if (input.type === "boolean") {
      return typeof value === "boolean" ? [] : [`“${name}” must be true or false.`];
    }
    return typeof value === "object" || typeof value === "boolean"
      ? [`“${name}” must be ${WORDS[input.type ?? "string"]}.`]
      : [];
  });
}

const WORDS = {
  string: "text",
  text: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

/** Names of earlier inputs that this workflow no longer asks for. */
export function foreignInputs(inputs: readonly InputDefinition[], given: GivenInputs): string[] {
  return Object.keys(given).filter((name) => !inputs.some((input) => input.name === name));
}

/** A value in a few words, such as a default in a hint. */
export function inWords(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
