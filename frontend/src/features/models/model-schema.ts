/** What the model form refuses by itself; the server stays the judge. */
import * as z from "zod/mini";

import type { ModelValues } from "./model-values";

// Compiled schemas need `eval`, which the content security policy forbids.
z.config({ jitless: true });

type Issue = [field: keyof ModelValues, message: string];
type Figure = Exclude<keyof ModelValues, "default" | "type">;

interface Bounds {
  field: Figure;
  least: number;
  most: number;
  whole?: true;
  /** The least itself is not allowed. */
  above?: true;
}

const HIGHEST_PRICE = 1_000_000;

const BOUNDS: readonly Bounds[] = [
  { field: "contextWindow", least: 1, most: 100_000_000, whole: true },
  { field: "temperature", least: 0, most: 2 },
  { field: "topP", least: 0, most: 1, above: true },
  { field: "maxTokens", least: 1, most: 10_000_000, whole: true },
  { field: "timeoutSeconds", least: 0, most: 3600, above: true },
  { field: "maxRetries", least: 0, most: 10, whole: true },
  { field: "seed", least: -(2 ** 53) + 1, most: 2 ** 53 - 1, whole: true },
  { field: "frequencyPenalty", least: -2, most: 2 },
  { field: "presencePenalty", least: -2, most: 2 },
];

const anyText = z.string();
const ability = z.enum(["unknown", "yes", "no"]);

export const modelSchema = z
  .object({
    providerId: z.string().check(z.minLength(1, "Choose a provider.")),
    endpoint: z
      .string()
      .check(z.maxLength(500, "At most 500 characters."), z.regex(/\S/, "Choose or type a model.")),
    name: z
      .string()
      .check(z.maxLength(200, "At most 200 characters."), z.regex(/\S/, "Give it a name.")),
    type: z.enum(["llm", "embedder"]),
    default: z.boolean(),
    tools: ability,
    vision: ability,
    json: ability,
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
      .check(z.regex(/^\s*[a-z]{0,16}\s*$/, "A word in small letters, such as low or high.")),
    stop: anyText,
    extraBody: anyText,
  })
  .check((context) => {
    for (const [field, message] of modelIssues(context.value)) {
      context.issues.push({ code: "custom", input: context.value[field], path: [field], message });
    }
  });

export function modelIssues(values: ModelValues): Issue[] {
  return [
    ...BOUNDS.flatMap((bounds) => figureIssues(values, bounds)),
    ...priceIssues(values),
    ...textIssues(values),
  ];
}

function figureIssues(values: ModelValues, { field, least, most, whole, above }: Bounds): Issue[] {
  const text = values[field].trim();
  if (!text) return [];
  const figure = Number(text);
  const fits =
    Number.isFinite(figure) &&
    figure <= most &&
    (above ? figure > least : figure >= least) &&
    (!whole || Number.isInteger(figure));
  if (fits) return [];
  if (field === "seed") return [[field, "A whole number."]];
  const kind = whole ? "A whole number" : "A number";
  return [[field, `${kind} ${above ? `above ${least}, at most` : `from ${least} to`} ${most}.`]];
}

function priceIssues(values: ModelValues): Issue[] {
  const fields = ["inputPerMillion", "outputPerMillion"] as const;
  const issues: Issue[] = fields.flatMap((field) => priceIssue(field, values[field].trim()));
  const given = fields.filter((field) => values[field].trim());
  if (given.length === 1) {
    const missing = given[0] === "inputPerMillion" ? "outputPerMillion" : "inputPerMillion";
    issues.push([missing, "Give both prices, or neither."]);
  }
  if (given.length > 0 && !/^[A-Za-z]{3}$/.test(values.currency.trim())) {
    issues.push(["currency", "Three letters, such as USD."]);
  }
  return issues;
}

function priceIssue(field: Figure, text: string): Issue[] {
  if (!text) return [];
  if (!/^\d*\.?\d*$/.test(text) || !/\d/.test(text)) return [[field, "A number such as 2.50."]];
  if (Number(text) > HIGHEST_PRICE) return [[field, `At most ${HIGHEST_PRICE}.`]];
  return (text.split(".")[1] ?? "").length > 10 ? [[field, "At most 10 decimal places."]] : [];
}

function textIssues({ stop, extraBody }: ModelValues): Issue[] {
  const issues: Issue[] = [];
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
