import { isScalar, isSeq } from "yaml";

import {
  canonicalKey,
  findField,
  getItemTexts,
  getPairs,
  getText,
  type Member,
} from "../model/parse-workflow";
import { readModelName } from "../model/read-definition";

import type { FormField } from "./form-fields";
import type { FieldValue } from "./render-yaml";

export type FormValues = Record<string, string | boolean | string[]>;

/** What has fields: an agent, a task, or the mapping of the workflow that contains them. */
export type FieldOwner = Pick<Member, "body">;

export function readFormValues(member: FieldOwner, fields: FormField[]): FormValues {
  return Object.fromEntries(fields.map((field) => [field.name, readFormValue(member, field)]));
}

function readFormValue(
  { body }: FieldOwner,
  { name, control, reference }: FormField,
): FormValues[string] {
  const node = findField(body, name)?.value;
  if (control === "checkbox") return getText(node) === "true";
  if (control === "checkboxes") return getItemTexts(node);
  if (control === "lines") return getItemTexts(node).join("\n");
  if (reference === "model") return readModelName(node) ?? "";
  return (getText(node) ?? "").replace(/\n$/, "");
}

/** The value to write for a form value; undefined removes the field. */
export function toFieldValue(
  { control, required }: FormField,
  value: FormValues[string],
): FieldValue | undefined {
  if (typeof value === "boolean") return value || undefined;
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (value.trim() === "") return required ? "" : undefined;
  if (control === "lines") return value.split("\n").flatMap((line) => line.trim() || []);
  const number = Number(value);
  return control === "number" && Number.isInteger(number) ? number : value;
}

/** The keys of an agent or task that the form does not show. */
export function listOtherKeys({ body }: FieldOwner, fields: FormField[]): string[] {
  const shown = new Set([...fields.map((field) => field.name), "name"]);
  return getPairs(body, ["settings"])
    .map((pair) => String(pair.key.value))
    .filter((key) => !shown.has(canonicalKey(key)));
}

/** Whether a field has a value that its control cannot show, such as an alias. */
export function isUnsupported(
  { body }: FieldOwner,
  { name, control, reference }: FormField,
): boolean {
  const node = findField(body, name)?.value;
  if (!node || reference === "model") return false;
  return control === "checkboxes" || control === "lines"
    ? !isSeq(node) && !isScalar(node)
    : !isScalar(node);
}
