import type { Approval } from "@/lib/api/types";

/** What a field of a form holds: a text, also of a number, a truth value, or chosen values. */
export type FieldValue = string | boolean | string[];
export type FieldValues = Record<string, FieldValue>;

export interface AnswerField {
  name: string;
  label: string;
  hint: string;
  kind: "text" | "number" | "integer" | "boolean" | "choice" | "choices";
  isRequired: boolean;
  /** The values to choose from, with what a person reads. */
  options: { value: string; label: string }[];
  initial: FieldValue;
}

interface FieldSchema {
  type?: string;
  title?: string;
  description?: string;
  default?: string | number | boolean;
  enum?: string[];
  enumNames?: string[];
  items?: FieldSchema;
}

interface FormSchema {
  properties?: Record<string, FieldSchema>;
  required?: string[];
}

/** The fields of the form that a tool wants to have filled in. */
export function listAnswerFields(parameters: Approval["parameters"]): AnswerField[] {
  const { properties = {}, required = [] } = (parameters ?? {}) as FormSchema;
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    label: schema.title || name,
    hint: schema.description ?? "",
    kind: kindOf(schema),
    isRequired: required.includes(name),
    options: listOptions(schema.type === "array" ? (schema.items ?? {}) : schema),
    initial: initialOf(schema),
  }));
}

/** The answer as the tool receives it; fields that are left empty are not sent. */
export function buildAnswer(fields: AnswerField[], values: FieldValues): Record<string, unknown> {
  const answer: Record<string, unknown> = {};
  for (const { name, kind } of fields) {
    const value = values[name];
    if (value === undefined || value === "") continue;
    answer[name] = kind === "number" || kind === "integer" ? Number(value) : value;
  }
  return answer;
}

function kindOf(schema: FieldSchema): AnswerField["kind"] {
  if (schema.type === "array") return "choices";
  if (schema.enum) return "choice";
  const { type } = schema;
  return type === "number" || type === "integer" || type === "boolean" ? type : "text";
}

function listOptions(schema: FieldSchema): AnswerField["options"] {
  return (schema.enum ?? []).map((value, index) => ({
    value,
    label: schema.enumNames?.[index] ?? value,
  }));
}

function initialOf(schema: FieldSchema): FieldValue {
  if (schema.type === "array") return [];
  if (schema.type === "boolean") return schema.default === true;
  return schema.default === undefined ? "" : String(schema.default);
}
