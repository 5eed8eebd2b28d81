/** Locates positions by indentation alone, because the text is often invalid while it is being written. */

/** A step into a list. */
export const ITEM = Symbol("item");
export type Step = string | typeof ITEM;

export interface CursorLocation {
  /** `key`: a key of the mapping at `path`. `value`: the value at `path`. `text`: nothing to complete. */
  kind: "key" | "value" | "text";
  path: Step[];
  /** Start of the word at the cursor. */
  from: number;
  word: string;
  /** The other keys of the mapping, or the other items of the `[…]`. */
  present: string[];
}

interface Token {
  column: number;
  key?: string;
  /** The text after the `:` of the key. */
  value: string;
}

const KEY = /^(?:"([^"]*)"|'([^']*)'|([^\s#:[\]{},"'][^:#]*?))\s*:(?:\s+(.*))?$/;

/** The dashes and the key of a line, from left to right. */
function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let column = line.length - line.trimStart().length;
  let rest = line.slice(column);
  while (/^-(?:\s|$)/.test(rest)) {
    tokens.push({ column, value: "" });
    const step = /^-\s*/.exec(rest)?.[0].length ?? 1;
    column += step;
    rest = rest.slice(step);
  }
  const found = KEY.exec(rest.trimEnd());
  if (found) {
    const key = found[1] ?? found[2] ?? found[3] ?? "";
    tokens.push({ column, key, value: (found[4] ?? "").trim() });
  }
  return tokens;
}

function isBlankOrComment(line: string): boolean {
  return /^\s*(#|$)/.test(line);
}

export function locateCursor(text: string, position: number): CursorLocation {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const before = text.slice(start, position);
  const lines = text.split("\n");
  const lineIndex = text.slice(0, start).split("\n").length - 1;
  const dashes = /^\s*(?:- +)*/.exec(before)?.[0] ?? "";
  const rest = before.slice(dashes.length);
  const key = KEY.exec(rest);
  const { path, isBlockText, openList } = findAncestors(lines, lineIndex, dashes);
  const none: CursorLocation = { kind: "text", path, from: position, word: "", present: [] };
  if (isBlockText || rest.startsWith("#") || /\s#/.test(rest)) return none;
  if (openList) return locateInBrackets(openList + rest, path, position);
  if (key) {
    const name = key[1] ?? key[2] ?? key[3] ?? "";
    return locateInValue(key[4] ?? "", [...path, name], position, none);
  }
  if (/^["'|>&*!{]/.test(rest) || rest.includes(":")) return none;
  if (rest.startsWith("[")) return locateInBrackets(rest, path, position);
  const present = findSiblings(lines, lineIndex, dashes.length);
  return { kind: "key", path, from: position - rest.length, word: rest, present };
}

function locateInValue(
  value: string,
  path: Step[],
  position: number,
  none: CursorLocation,
): CursorLocation {
  if (value.startsWith("[")) return locateInBrackets(value, path, position);
  if (/^[|>{&*!]/.test(value)) return none;
  const word = value.replace(/^["']/, "");
  return { kind: "value", path, from: position - word.length, word, present: [] };
}

/** Inside `[a, b`: the word after the last comma; the items before it are present. */
function locateInBrackets(before: string, path: Step[], position: number): CursorLocation {
  const items = before
    .slice(1)
    .split(",")
    .map((item) => item.trim().replaceAll(/^["']|["']$/g, ""));
  const word = items.at(-1) ?? "";
  const kind = before.includes("]") ? "text" : "value";
  return {
    kind,
    path: [...path, ITEM],
    from: position - word.length,
    word,
    present: items.slice(0, -1),
  };
}

interface Ancestors {
  path: Step[];
  /** The line is part of a block of text (`|` or `>`). */
  isBlockText: boolean;
  /** The text of a `[` that an earlier line has left open, up to the line. */
  openList: string;
}

function findAncestors(lines: string[], lineIndex: number, dashes: string): Ancestors {
  const path: Step[] = [];
  let column = dashes.length;
  let isBlockText = false;
  let openList = "";
  for (const dash of [...dashes.matchAll(/-/g)].toReversed()) {
    path.unshift(ITEM);
    column = dash.index;
  }
  for (let at = lineIndex - 1; at >= 0 && column > 0 - Number(path[0] === ITEM); at -= 1) {
    const line = lines[at] ?? "";
    if (isBlankOrComment(line)) continue;
    for (const token of tokenize(line).toReversed()) {
      // The items of a list may be in the same column as its key.
      const isListKey = path[0] === ITEM && token.key !== undefined && token.column === column;
      if (token.column >= column && !isListKey) continue;
      isBlockText ||= /^[|>][-+\d]*\s*(#.*)?$/.test(token.value);
      if (path.length === 0 && /^\[[^\]]*$/.test(token.value)) {
        openList = [token.value, ...lines.slice(at + 1, lineIndex)].join(" ");
      }
      path.unshift(token.key ?? ITEM);
      column = token.column;
    }
    if (column === 0 && path[0] !== ITEM) break;
  }
  return { path, isBlockText, openList };
}

/** The other keys of the mapping at a column, above and below the line. */
function findSiblings(lines: string[], lineIndex: number, column: number): string[] {
  const isFirstKeyOfItem = /^\s*- /.test(lines[lineIndex] ?? "");
  const above = isFirstKeyOfItem
    ? []
    : collectKeys(lines.slice(0, lineIndex).toReversed(), column, true);
  return [...above, ...collectKeys(lines.slice(lineIndex + 1), column, false)];
}

function collectKeys(lines: string[], column: number, isUpwards: boolean): string[] {
  const keys: string[] = [];
  for (const line of lines) {
    if (isBlankOrComment(line)) continue;
    const tokens = tokenize(line);
    const last = tokens.at(-1);
    const first = tokens[0]?.column ?? line.length - line.trimStart().length;
    const startsItem = tokens.length > 1 && first < column;
    if (last?.key !== undefined && last.column === column && (isUpwards || !startsItem)) {
      keys.push(last.key);
    }
    if (first < column) break;
  }
  return keys;
}

/** The names of the agents or tasks of a document, in mapping or list form. */
export function listMemberNames(text: string, section: "agents" | "tasks"): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, lineIndex) => {
    const token = isBlankOrComment(line) ? undefined : tokenize(line).at(-1);
    if (token?.key === undefined) return [];
    const before = line.slice(0, token.column);
    const { path } = findAncestors(lines, lineIndex, before);
    const steps = ["crew", "workflow"].includes(String(path[0])) ? path.slice(1) : path;
    if (steps[0] !== section) return [];
    if (steps.length === 1) return [token.key];
    if (steps.length !== 2 || steps[1] !== ITEM) return [];
    if (token.key === "name") return [token.value.replaceAll(/^["']|["']$|\s+#.*$/g, "")];
    return token.value === "" && before.includes("-") ? [token.key] : [];
  });
}
