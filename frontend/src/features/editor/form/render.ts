/** Values as YAML, written the way their neighbours are. */
import { Document, isScalar, isSeq, Scalar, type Node, type YAMLMap } from "yaml";

import { isBlock } from "./splice";

export type FieldValue = string | number | boolean | string[];

export interface Setting {
  /** How far the key is indented. */
  indent: number;
  /** Inside `{…}`, where nothing can span lines. */
  flow: boolean;
  /** What stood there before: its style is kept where it fits. */
  before?: Node | null;
}

const WIDTH = 100;

/** `key: value`, without a line break behind it. */
export function renderPair(key: string, value: FieldValue, setting: Setting): string {
  const doc = new Document({ [key]: value });
  const map = doc.contents as YAMLMap;
  map.flow = setting.flow;
  const node = map.get(key, true);
  if (isSeq(node))
    node.flow = setting.flow || !isSeq(setting.before) || setting.before.flow === true;
  if (isScalar(node) && typeof value === "string") node.type = styleFor(value, setting);
  const text = doc
    .toString({ lineWidth: lineWidth(node, setting), flowCollectionPadding: false })
    .trimEnd();
  const pair = setting.flow ? text.slice(1, -1).trim() : text;
  return pair.replaceAll(/\n(?=[^\n])/g, `\n${" ".repeat(setting.indent)}`);
}

/** The value alone, as it follows `key: `. */
export function renderValue(value: FieldValue, setting: Setting): string {
  return renderPair("k", value, setting).replace(/^k:\s?/, "");
}

function styleFor(value: string, { flow, before }: Setting): Scalar.Type | undefined {
  const lines = value.includes("\n");
  const type = isScalar(before) ? before.type : undefined;
  if (type?.startsWith("QUOTE") && !lines) return type as Scalar.Type;
  if (flow) return lines ? Scalar.QUOTE_DOUBLE : undefined;
  if (lines && type === "BLOCK_FOLDED" && !/\n(?!\n*$)/.test(value)) return Scalar.BLOCK_FOLDED;
  if (lines) return Scalar.BLOCK_LITERAL;
  return isScalar(before) && isBlock(before) ? (type as Scalar.Type) : undefined;
}

function lineWidth(node: unknown, { indent }: Setting): number {
  const folds = isScalar(node) && node.type === "BLOCK_FOLDED";
  return folds ? Math.max(40, WIDTH - indent) : 0;
}

/** A word as a name: plain where that is possible, quoted like before otherwise. */
export function renderName(name: string, before: Node | null): string {
  return renderValue(name, { indent: 0, flow: true, before });
}
