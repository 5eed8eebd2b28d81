/** Between the text of a node and the values of its form. */
import { isScalar, isSeq } from "yaml";

import { modelOf } from "../model/definition";
import { fieldOf, itemsOf, pairsOf, canonical, wordOf, type Member } from "../model/document";

import { FIELDS, type FormField } from "./fields";
import type { FieldValue } from "./render";

export type FormValues = Record<string, string | boolean | string[]>;

export function valuesOf(member: Member): FormValues {
  return Object.fromEntries(
    FIELDS[member.kind].map((field) => [field.name, valueOf(member, field)]),
  );
}

function valueOf({ body }: Member, { name, kind }: FormField): FormValues[string] {
  const node = fieldOf(body, name)?.value;
  if (kind === "flag") return wordOf(node) === "true";
  if (kind === "tasks" || kind === "tools") return itemsOf(node).map((item) => String(item.value));
  if (kind === "model") return modelOf(node) ?? "";
  return (wordOf(node) ?? "").replace(/\n$/, "");
}

/** What is written for a value of the form; undefined takes the field away. */
export function writtenFor(
  { kind, required }: FormField,
  value: FormValues[string],
): FieldValue | undefined {
  if (typeof value === "boolean") return value || undefined;
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (value.trim() === "") return required ? "" : undefined;
  const number = Number(value);
  return kind === "number" && Number.isInteger(number) ? number : value;
}

/** The keys that only the YAML shows. */
export function otherKeys({ kind, body }: Member): string[] {
  const known = new Set([...FIELDS[kind].map((field) => field.name), "name"]);
  return pairsOf(body, ["settings"])
    .map((pair) => String(pair.key.value))
    .filter((key) => !known.has(canonical(key)));
}

/** A field that holds something the form has no control for, such as several rules or an alias. */
export function isForeign({ body }: Member, { name, kind }: FormField): boolean {
  const node = fieldOf(body, name)?.value;
  if (!node || kind === "model") return false;
  const list = kind === "tasks" || kind === "tools";
  return list ? !isSeq(node) && !isScalar(node) : !isScalar(node);
}
