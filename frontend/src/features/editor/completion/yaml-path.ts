/** Where in a document a position is, told by indentation alone: it works while the text is broken. */

/** A step into a list. */
export const ITEM = Symbol("item");
export type Step = string | typeof ITEM;

export interface Spot {
  /** `key`: a key may be written in the mapping at `path`. `value`: the value of `path`. */
  kind: "key" | "value" | "text";
  path: Step[];
  /** Where the word that is being written begins. */
  from: number;
  word: string;
  /** The keys of the same mapping, and the items of the same `[…]`. */
  present: string[];
}

interface Token {
  column: number;
  key?: string;
  /** What stands behind the `:` of the key. */
  value: string;
}

const KEY = /^(?:"([^"]*)"|'([^']*)'|([^\s#:[\]{},"'][^:#]*?))\s*:(?:\s+(.*))?$/;

/** The dashes and the key of a line, from left to right. */
function tokensOf(line: string): Token[] {
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

function isSilent(line: string): boolean {
  return /^\s*(#|$)/.test(line);
}

export function spotAt(text: string, position: number): Spot {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const before = text.slice(start, position);
  const lines = text.split("\n");
  const number = text.slice(0, start).split("\n").length - 1;
  const dashes = /^\s*(?:- +)*/.exec(before)?.[0] ?? "";
  const rest = before.slice(dashes.length);
  const key = KEY.exec(rest);
  const { path, text: inText, list } = ancestors(lines, number, dashes);
  const none: Spot = { kind: "text", path, from: position, word: "", present: [] };
  if (inText || rest.startsWith("#") || /\s#/.test(rest)) return none;
  if (list) return inBrackets(list + rest, path, position);
  if (key) {
    const name = key[1] ?? key[2] ?? key[3] ?? "";
    return valueSpot(key[4] ?? "", [...path, name], position, none);
  }
  if (/^["'|>&*!{]/.test(rest) || rest.includes(":")) return none;
  if (rest.startsWith("[")) return inBrackets(rest, path, position);
  const present = siblings(lines, number, dashes.length);
  return { kind: "key", path, from: position - rest.length, word: rest, present };
}

function valueSpot(value: string, path: Step[], position: number, none: Spot): Spot {
  if (value.startsWith("[")) return inBrackets(value, path, position);
  if (/^[|>{&*!]/.test(value)) return none;
  const word = value.replace(/^["']/, "");
  return { kind: "value", path, from: position - word.length, word, present: [] };
}

/** Inside `[a, b`: behind the last comma; what stands before it is there already. */
function inBrackets(written: string, path: Step[], position: number): Spot {
  const items = written
    .slice(1)
    .split(",")
    .map((item) => item.trim().replaceAll(/^["']|["']$/g, ""));
  const word = items.at(-1) ?? "";
  const kind = written.includes("]") ? "text" : "value";
  return {
    kind,
    path: [...path, ITEM],
    from: position - word.length,
    word,
    present: items.slice(0, -1),
  };
}

/** The keys and lists around a line; whether it is part of a block of text, or of a `[` left open. */
function ancestors(
  lines: string[],
  number: number,
  dashes: string,
): { path: Step[]; text: boolean; list: string } {
  const path: Step[] = [];
  let need = dashes.length;
  let text = false;
  let list = "";
  for (const column of dashColumns(dashes)) {
    path.unshift(ITEM);
    need = column;
  }
  for (let at = number - 1; at >= 0 && need > 0 - Number(path[0] === ITEM); at -= 1) {
    const line = lines[at] ?? "";
    if (isSilent(line)) continue;
    for (const token of tokensOf(line).toReversed()) {
      const listKey = path[0] === ITEM && token.key !== undefined && token.column === need;
      if (token.column >= need && !listKey) continue;
      text ||= /^[|>][-+\d]*\s*(#.*)?$/.test(token.value);
      if (path.length === 0 && /^\[[^\]]*$/.test(token.value)) {
        list = [token.value, ...lines.slice(at + 1, number)].join(" ");
      }
      path.unshift(token.key ?? ITEM);
      need = token.column;
    }
    if (need === 0 && path[0] !== ITEM) break;
  }
  return { path, text, list };
}

/** From the innermost outwards. */
function dashColumns(dashes: string): number[] {
  return [...dashes.matchAll(/-/g)].map((dash) => dash.index).toReversed();
}

/** The other keys of the mapping at a column, above and below the line. */
function siblings(lines: string[], number: number, column: number): string[] {
  const own = lines[number] ?? "";
  const begins = /^\s*- /.test(own);
  const above = begins ? [] : walk(lines.slice(0, number).toReversed(), column, true);
  return [...above, ...walk(lines.slice(number + 1), column, false)];
}

function walk(lines: string[], column: number, upwards: boolean): string[] {
  const keys: string[] = [];
  for (const line of lines) {
    if (isSilent(line)) continue;
    const tokens = tokensOf(line);
    const last = tokens.at(-1);
    const first = tokens[0]?.column ?? line.length - line.trimStart().length;
    const isItem = tokens.length > 1 && first < column;
    if (last?.key !== undefined && last.column === column && (upwards || !isItem)) {
      keys.push(last.key);
    }
    if (first < column) break;
  }
  return keys;
}

/** The names of the agents or tasks of a document, in either spelling. */
export function namesIn(text: string, section: "agents" | "tasks"): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, number) => {
    const token = isSilent(line) ? undefined : tokensOf(line).at(-1);
    if (token?.key === undefined) return [];
    const head = line.slice(0, token.column);
    const { path } = ancestors(lines, number, head);
    const steps = ["crew", "workflow"].includes(String(path[0])) ? path.slice(1) : path;
    if (steps[0] !== section) return [];
    if (steps.length === 1) return [token.key];
    if (steps.length !== 2 || steps[1] !== ITEM) return [];
    if (token.key === "name") return [token.value.replaceAll(/^["']|["']$|\s+#.*$/g, "")];
    return token.value === "" && head.includes("-") ? [token.key] : [];
  });
}
