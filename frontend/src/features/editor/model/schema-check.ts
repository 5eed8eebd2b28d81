/** What the server's JSON Schema says about a document, in words that say what would be right. */
import { Validator, type OutputUnit, type Schema } from "@cfworker/json-schema";
import { isMap, isScalar, type Node, type Pair } from "yaml";

import { spanOf, type Parsed, type Span } from "./document";
import { nearest } from "./nearest";
import type { EditorProblem } from "./problems";

export type SchemaCheck = (parsed: Parsed) => EditorProblem[];

type Path = (string | number)[];
type Finding = Pick<EditorProblem, "code" | "message" | "suggestion">;

const TYPES: Record<string, string> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
};

/** Prepares a schema once; the answer judges documents that are valid YAML. */
export function schemaCheck(schema: Record<string, unknown>): SchemaCheck {
  const validator = new Validator(readable(schema) as Schema, "2020-12", false);
  return (parsed) => {
    const value: unknown = parsed.doc.toJS({ maxAliasCount: 1000 });
    const leaves = validator.validate(value).errors.filter(isLeaf);
    return grouped(leaves).flatMap(([location, errors]) => {
      const path = pathOf(location);
      const finding = findingFor(errors, path, value, leaves);
      return finding ? [problemAt(parsed, path, finding)] : [];
    });
  };
}

/** Without the patterns that this browser's regular expressions cannot read: the server judges those. */
function readable(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(readable);
  if (!node || typeof node !== "object") return node;
  const members = Object.entries(node).filter(
    ([key, value]) => key !== "pattern" || typeof value !== "string" || compiles(value),
  );
  return Object.fromEntries(members.map(([key, value]) => [key, readable(value)]));
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u").source !== "";
  } catch {
    return false;
  }
}

const LEAVES = new Set([
  "false",
  "required",
  "type",
  "enum",
  "minLength",
  "maxLength",
  "pattern",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
]);

function isLeaf(error: OutputUnit): boolean {
  if (error.keyword === "type" && error.error.includes('Expected "null"')) return false;
  return LEAVES.has(error.keyword);
}

function grouped(errors: OutputUnit[]): [string, OutputUnit[]][] {
  const groups = new Map<string, OutputUnit[]>();
  for (const error of errors) {
    const known = groups.get(error.instanceLocation);
    if (known) known.push(error);
    else groups.set(error.instanceLocation, [error]);
  }
  return [...groups];
}

function findingFor(
  errors: OutputUnit[],
  path: Path,
  root: unknown,
  all: OutputUnit[],
): Finding | null {
  const at = errors[0]?.instanceLocation ?? "#";
  const inside = all.some((error) => error.instanceLocation.startsWith(`${at}/`));
  const missing = missingKey(errors);
  const other = errors.find((error) => error.keyword !== "type" && error.keyword !== "required");
  if (other) return wordsFor(other, path, root);
  // Of several branches the one whose type fits has said what is wrong further inside.
  if (missing && !(inside && errors.some((error) => error.keyword === "type"))) {
    return { code: "missing-field", message: `\`${missing}\` is missing.` };
  }
  return inside || missing ? null : wrongType(errors, path);
}

/** The first spelling of the first key that is missing. */
function missingKey(errors: OutputUnit[]): string | undefined {
  const required = errors.find((error) => error.keyword === "required");
  return required && /required property "(.+)"/.exec(required.error)?.[1];
}

function wrongType(errors: OutputUnit[], path: Path): Finding {
  const wanted = errors.map((error) => /Expected "(\w+)"/.exec(error.error)?.[1] ?? "");
  const words = [...new Set(wanted)].map((type) => TYPES[type] ?? type).join(" or ");
  return { code: "wrong-type", message: `\`${nameOf(path)}\` should be ${words}.` };
}

function wordsFor(error: OutputUnit, path: Path, root: unknown): Finding {
  const name = nameOf(path);
  const figure = /-?\d+(?:\.\d+)?(?=\D*$)/.exec(error.error)?.[0] ?? "";
  switch (error.keyword) {
    case "false":
      return unknownKey(path);
    case "enum":
      return unknownValue(error, valueAt(root, path));
    case "minLength":
      return {
        code: "empty-text",
        message: `\`${name}\` is empty. Write something, or leave it out.`,
      };
    case "maxLength":
      return { code: "text-too-long", message: `\`${name}\` is too long.` };
    case "pattern":
      return { code: "bad-name", message: `\`${name}\` is not written as it should be.` };
    case "minItems":
    case "minProperties":
      return { code: "missing-field", message: `There are no ${name}. Write at least one.` };
    case "maxItems":
    case "maxProperties":
      return { code: "too-many-items", message: `\`${name}\` has too many items.` };
    case "maximum":
      return { code: "out-of-range", message: `\`${name}\` must be at most ${figure}.` };
    case "exclusiveMinimum":
      return { code: "out-of-range", message: `\`${name}\` must be more than ${figure}.` };
    default:
      return { code: "out-of-range", message: `\`${name}\` must be at least ${figure}.` };
  }
}

function unknownKey(path: Path): Finding {
  const place = path.length > 1 ? `\`${nameOf(path.slice(0, -1))}\`` : "A workflow";
  return { code: "unknown-key", message: `${place} has no \`${nameOf(path)}\`.` };
}

function unknownValue(error: OutputUnit, value: unknown): Finding {
  const choices = (/\[(.*)\]/.exec(error.error)?.[1] ?? "").replaceAll('"', "").split(",");
  const suggestion = nearest(String(value), choices);
  const meant = suggestion ? ` Did you mean \`${suggestion}\`?` : "";
  const message = `\`${String(value)}\` is none of ${choices.join(", ")}.${meant}`;
  return { code: "unknown-value", message, suggestion };
}

function problemAt(parsed: Parsed, path: Path, finding: Finding): EditorProblem {
  const span = spanAt(parsed, path, finding.code);
  const { line } = parsed.lines.linePos(span.from);
  return { ...span, line, ...finding, severity: "error", source: "browser" };
}

/** Keys are shown where something is wrong with or inside them, values where the value itself is wrong. */
function spanAt({ doc }: Parsed, path: Path, code: string): Span {
  const key = keyAt(doc.contents, path);
  const value = doc.getIn(path, true) as Node | undefined;
  const atKey = ["unknown-key", "missing-field", "too-many-items"].includes(code);
  const node = (atKey || !isScalar(value) ? key : undefined) ?? value ?? key ?? doc.contents;
  const span = spanOf(node);
  return isMap(node) ? { from: span.from, to: span.from + 1 } : span;
}

function keyAt(root: Node | null, path: Path): Node | undefined {
  let node: unknown = root;
  let key: Node | undefined;
  for (const part of path) {
    if (isMap(node)) {
      const pair = (node.items as Pair[]).find(
        (one) => isScalar(one.key) && String(one.key.value) === String(part),
      );
      key = (pair?.key as Node | undefined) ?? key;
      node = pair?.value;
    } else {
      node = (node as { items?: unknown[] } | null)?.items?.[Number(part)];
    }
  }
  return key;
}

function pathOf(location: string): Path {
  return location
    .split("/")
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function nameOf(path: Path): string {
  return path.findLast((part) => typeof part === "string") ?? "the document";
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<string, unknown>)?.[part], root);
}
