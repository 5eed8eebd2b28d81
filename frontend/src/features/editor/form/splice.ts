/** Places in the text between which something can be put without touching what stands around it. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";

export interface Splice {
  from: number;
  to: number;
  put: string;
}

/** Carries out several splices of one text; they may not overlap. */
export function spliced(text: string, splices: Splice[]): string {
  return splices
    .toSorted((one, two) => two.from - one.from)
    .reduce((result, { from, to, put }) => result.slice(0, from) + put + result.slice(to), text);
}

/** Where a node's own content ends: before the comments, blank lines and keys that follow it. */
export function contentEnd(node: Node, text: string): number {
  if (isMap(node) && !node.flow)
    return endOfPair(node.items.at(-1) as Pair | undefined, node, text);
  if (isSeq(node) && !node.flow) {
    const last = node.items.at(-1);
    return isNode(last) ? contentEnd(last, text) : valueEnd(node);
  }
  const end = valueEnd(node);
  return isBlock(node)
    ? startOfNode(node) + text.slice(startOfNode(node), end).trimEnd().length
    : end;
}

export function endOfPair(pair: Pair | undefined, map: YAMLMap, text: string): number {
  if (isNode(pair?.value) && valueEnd(pair.value) > startOfNode(pair.value)) {
    return contentEnd(pair.value, text);
  }
  return isNode(pair?.key) ? afterColon(pair.key, text) : valueEnd(map);
}

/** Right behind the `:` of a key. */
export function afterColon(key: Node, text: string): number {
  const colon = text.indexOf(":", valueEnd(key));
  return colon === -1 ? valueEnd(key) : colon + 1;
}

export function startOfLine(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** The end of the line, before its break. */
export function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

export function columnOf(text: string, at: number): number {
  return at - startOfLine(text, at);
}

export function startOfNode(node: Node): number {
  return node.range?.[0] ?? 0;
}

export function valueEnd(node: Node): number {
  return node.range?.[1] ?? 0;
}

export function isBlock(node: Node | null | undefined): boolean {
  return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
}

function isNode(node: unknown): node is Node {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
}
