/** What the schema says about the key under the pointer. */
import { descriptionAt, type SchemaNode } from "./schema-walk";
import { spotAt } from "./yaml-path";

export interface KeyWords {
  from: number;
  to: number;
  key: string;
  description: string;
}

export function wordsAt(text: string, position: number, schema: SchemaNode): KeyWords | null {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", start);
  const line = text.slice(start, end === -1 ? text.length : end);
  const found = /^(\s*(?:- +)*)([^\s#:"'[\]{}]+)\s*:(?=\s|$)/.exec(line);
  if (!found) return null;
  const key = found[2] ?? "";
  const from = start + (found[1] ?? "").length;
  if (position < from || position > from + key.length) return null;
  const { kind, path } = spotAt(text, from);
  const description = kind === "text" ? undefined : descriptionAt(schema, [...path, key]);
  return description ? { from, to: from + key.length, key, description } : null;
}
