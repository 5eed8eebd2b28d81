/** Edits of a YAML text that leave the text around them unchanged. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";

export interface TextEdit {
  from: number;
  to: number;
  insert: string;
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: TextEdit[]): string {
  return edits
    .toSorted((one, two) => two.from - one.from)
    .reduce(
      (result, { from, to, insert }) => result.slice(0, from) + insert + result.slice(to),
      text,
    );
}

/** The end of a node's content, before the comments, blank lines and keys that follow it. */
export function getContentEnd(node: Node, text: string): number {
  if (isMap(node) && !node.flow)
    return getPairEnd(node.items.at(-1) as Pair | undefined, node, text);
  if (isSeq(node) && !node.flow) {
    const last = node.items.at(-1);
    return isNode(last) ? getContentEnd(last, text) : getNodeEnd(node);
  }
  const end = getNodeEnd(node);
  return isBlockScalar(node)
    ? getNodeStart(node) + text.slice(getNodeStart(node), end).trimEnd().length
    : end;
}

export function getPairEnd(pair: Pair | undefined, map: YAMLMap, text: string): number {
  if (isNode(pair?.value) && getNodeEnd(pair.value) > getNodeStart(pair.value)) {
    return getContentEnd(pair.value, text);
  }
  return isNode(pair?.key) ? getColonEnd(pair.key, text) : getNodeEnd(map);
}

/** The position after the `:` of a key. */
export function getColonEnd(key: Node, text: string): number {
  const colon = text.indexOf(":", getNodeEnd(key));
  return colon === -1 ? getNodeEnd(key) : colon + 1;
}

export function getLineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** The end of the line, before its line break. */
export function getLineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

export function getColumn(text: string, at: number): number {
  return at - getLineStart(text, at);
}

export function getNodeStart(node: Node): number {
  return node.range?.[0] ?? 0;
}

export function getNodeEnd(node: Node): number {
  return node.range?.[1] ?? 0;
}

export function isBlockScalar(node: Node | null | undefined): boolean {
  return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
}

function isNode(node: unknown): node is Node {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
}
