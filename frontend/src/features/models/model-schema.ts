/** Validation of the model form; the server validates again. */
import * as z from "zod/mini";

import type { ModelValues } from "./model-values";
import { uniqueLines } from "./provider-values";

// Compiled schemas need `eval`, which the content security policy forbids.
z.config({ jitless: true });

type Issue = [field: keyof ModelValues, message: string];
type TextField = Exclude<keyof ModelValues, "default" | "type">;

interface Bounds {
  field: TextField;
  min: number;
  max: number;
  integer?: true;
  /** `min` itself is not allowed. */
  exclusiveMin?: true;
}

const MAX_PRICE = 1_000_000;

const BOUNDS: readonly Bounds[] = [
  { field: "contextWindow", min: 1, max: 100_000_000, integer: true },
  { field: "temperature", min: 0, max: 2 },
  { field: "topP", min: 0, max: 1, exclusiveMin: true },
  { field: "maxTokens", min: 1, max: 10_000_000, integer: true },
  { field: "timeoutSeconds", min: 0, max: 3600, exclusiveMin: true },
  { field: "maxRetries", min: 0, max: 10, integer: true },
  { field: "seed", min: -(2 ** 53) + 1, max: 2 ** 53 - 1, integer: true },
  { field: "frequencyPenalty", min: -2, max: 2 },
  { field: "presencePenalty", min: -2, max: 2 },
];

/** Parameters that a model's requests can leave out; the same as the server's list. */
export const OMITTABLE_PARAMETERS: readonly string[] = [
  "stream_options",
  "stop",
  "top_p",
  "temperature",
  "seed",
  "frequency_penalty",
  "presence_penalty",
  "reasoning_effort",
  "parallel_tool_calls",
  "tool_choice",
  "response_format",
  "strict",
];

const anyText = z.string();
const capability = z.enum(["unknown", "yes", "no"]);

export const modelSchema = z
  .object({
    providerId: z.string().check(z.minLength(1, "Select a provider.")),
    providerModel: z
      .string()
      .check(
        z.maxLength(500, "At most 500 characters."),
        z.regex(/\S/, "Select or enter a model."),
      ),
    endpoint: z
      .string()
      .check(
        z.maxLength(500, "At most 500 characters."),
        z.regex(/^\s*($|\.{0,2}\/|[a-z]+:\/\/)/i, "A path such as /v1/chat/completions, or a URL."),
      ),
    name: z
      .string()
      .check(z.maxLength(200, "At most 200 characters."), z.regex(/\S/, "Enter a name.")),
    type: z.enum(["llm", "embedder"]),
    default: z.boolean(),
    tools: capability,
    vision: capability,
    json: capability,
    contextWindow: anyText,
    inputPerMillion: anyText,
    outputPerMillion: anyText,
    currency: anyText,
    temperature: anyText,
    topP: anyText,
    maxTokens: anyText,
    timeoutSeconds: anyText,
    maxRetries: anyText,
    seed: anyText,
    frequencyPenalty: anyText,
    presencePenalty: anyText,
    reasoningEffort: z
      .string()
      .check(z.regex(/^\s*[a-z]{0,16}\s*$/, "A lowercase word, such as low or high.")),
    stop: anyText,
    extraBody: anyText,
    stream: capability,
    maxTokensParameter: anyText,
    systemRole: anyText,
    omitParameters: anyText,
  })
  .check((context) => {
    for (const [field, message] of modelIssues(context.value)) {
      context.issues.push({ code: "custom", input: context.value[field], path: [field], message });
    }
  });

export function modelIssues(values: ModelValues): Issue[] {
  return [
    ...BOUNDS.flatMap((bounds) => numberIssues(values, bounds)),
    ...priceIssues(values),
    ...textIssues(values),
  ];
}

function numberIssues(
  values: ModelValues,
  { field, min, max, integer, exclusiveMin }: Bounds,
): Issue[] {
  const text = values[field].trim();
  if (!text) return [];
  const number = Number(text);
  const isValid =
    Number.isFinite(number) &&
    number <= max &&
    (exclusiveMin ? number > min : number >= min) &&
    (!integer || Number.isInteger(number));
  if (isValid) return [];
  if (field === "seed") return [[field, "A whole number."]];
  const kind = integer ? "A whole number" : "A number";
  return [[field, `${kind} ${exclusiveMin ? `above ${min}, at most` : `from ${min} to`} ${max}.`]];
}

function priceIssues(values: ModelValues): Issue[] {
  const fields = ["inputPerMillion", "outputPerMillion"] as const;
  const issues: Issue[] = fields.flatMap((field) => priceIssue(field, values[field].trim()));
  const given = fields.filter((field) => values[field].trim());
  if (given.length === 1) {
    const missing = given[0] === "inputPerMillion" ? "outputPerMillion" : "inputPerMillion";
    issues.push([missing, "Enter both prices or neither."]);
  }
  if (given.length > 0 && !/^[A-Za-z]{3}$/.test(values.currency.trim())) {
    issues.push(["currency", "Three letters, such as USD."]);
  }
  return issues;
}

function priceIssue(field: TextField, text: string): Issue[] {
  if (!text) return [];
  if (!/^\d*\.?\d*$/.test(text) || !/\d/.test(text)) return [[field, "A number such as 2.50."]];
  if (Number(text) > MAX_PRICE) return [[field, `At most ${MAX_PRICE}.`]];
  return (text.split(".")[1] ?? "").length > 10 ? [[field, "At most 10 decimal places."]] : [];
}

function textIssues({ stop, extraBody, omitParameters }: ModelValues): Issue[] {
  const issues: Issue[] = [];
  const unknown = uniqueLines(omitParameters).find((line) => !OMITTABLE_PARAMETERS.includes(line));
  if (unknown) {
    issues.push(["omitParameters", `${unknown} is not one of the parameters below.`]);
  }
  if (stop.split("\n").filter((line) => line.trim()).length > 16) {
    issues.push(["stop", "At most 16 lines."]);
  }
  if (extraBody.trim() && !isObject(extraBody)) {
    issues.push(["extraBody", 'A JSON object, such as {"top_k": 40}.']);
  }
  return issues;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
