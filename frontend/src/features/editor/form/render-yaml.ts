/** Renders values as YAML in the style of the value that they replace. */
import { Document, isScalar, isSeq, Scalar, type Node, type YAMLMap } from "yaml";

import { isBlockScalar } from "./text-edits";

export type FieldValue = string | number | boolean | string[];

export interface RenderOptions {
  /** Column of the key. */
  indent: number;
  /** Inside `{…}`, where no value can span lines. */
  flow: boolean;
  /** The previous value; its style is kept where possible. */
  before?: Node | null;
}

const LINE_WIDTH = 100;
const MIN_LINE_WIDTH = 40;

/** Renders `key: value` without a trailing line break. */
export function renderPair(key: string, value: FieldValue, options: RenderOptions): string {
  const doc = new Document({ [key]: value });
  const map = doc.contents as YAMLMap;
  map.flow = options.flow;
  const node = map.get(key, true);
  if (isSeq(node))
    node.flow = options.flow || !isSeq(options.before) || options.before.flow === true;
  if (isScalar(node) && typeof value === "string") node.type = chooseStyle(value, options);
  const isFolded = isScalar(node) && node.type === "BLOCK_FOLDED";
  const lineWidth = isFolded ? Math.max(MIN_LINE_WIDTH, LINE_WIDTH - options.indent) : 0;
  const text = doc.toString({ lineWidth, flowCollectionPadding: false }).trimEnd();
  const pair = options.flow ? text.slice(1, -1).trim() : text;
  return pair.replaceAll(/\n(?=[^\n])/g, `\n${" ".repeat(options.indent)}`);
}

/** Renders a value as it follows `key: `. */
export function renderValue(value: FieldValue, options: RenderOptions): string {
  return renderPair("k", value, options).replace(/^k:\s?/, "");
}

function chooseStyle(value: string, { flow, before }: RenderOptions): Scalar.Type | undefined {
  const isMultiline = value.includes("\n");
  const type = isScalar(before) ? before.type : undefined;
  if (type?.startsWith("QUOTE") && !isMultiline) return type as Scalar.Type;
  if (flow) return isMultiline ? Scalar.QUOTE_DOUBLE : undefined;
  if (isMultiline && type === "BLOCK_FOLDED" && !/\n(?!\n*$)/.test(value))
    return Scalar.BLOCK_FOLDED;
  if (isMultiline) return Scalar.BLOCK_LITERAL;
  return isScalar(before) && isBlockScalar(before) ? (type as Scalar.Type) : undefined;
}
