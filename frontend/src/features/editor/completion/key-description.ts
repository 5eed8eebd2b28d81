import { locateCursor } from "./cursor-location";
import { findDescription, type SchemaNode } from "./workflow-schema";

export interface KeyDescription {
  from: number;
  to: number;
  key: string;
  description: string;
}

/** Describes the key at a position; null where there is no key, or an unknown one. */
export function describeKeyAt(
  text: string,
  position: number,
  schema: SchemaNode,
): KeyDescription | null {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", start);
  const line = text.slice(start, end === -1 ? text.length : end);
  const match = /^(\s*(?:- +)*)([^\s#:"'[\]{}]+)\s*:(?=\s|$)/.exec(line);
  if (!match) return null;
  const key = match[2] ?? "";
  const from = start + (match[1] ?? "").length;
  if (position < from || position > from + key.length) return null;
  const { kind, path } = locateCursor(text, from);
  const description = kind === "text" ? undefined : findDescription(schema, [...path, key]);
  return description ? { from, to: from + key.length, key, description } : null;
}
