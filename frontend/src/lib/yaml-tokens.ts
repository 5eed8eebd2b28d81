/** Colours for a YAML text that is only read; an editor needs more than this. */

export type TokenKind = "key" | "text" | "number" | "comment" | "plain";

export interface Token {
  kind: TokenKind;
  text: string;
}

const KEY =
  /^(\s*(?:- +)*)((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'[\]{},&*!|>%@`-][^:#]*?|-[^\s:#][^:#]*?))(\s*:)(?=\s|$)/;
const COMMENT = /(^|\s)#.*$/;
const NUMBER = /^(?:-?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|~)$/i;
const BLOCK = /(?:^|\s)[|>][+-]?\d?[+-]?\s*(?:#.*)?$/;

/** The lines of a YAML text, each cut into pieces of one colour. The pieces are the text, whole. */
export function yamlTokens(text: string): Token[][] {
  let block: number | null = null;
  return text.split("\n").map((line) => {
    const indent = line.length - line.trimStart().length;
    if (block !== null && (line.trim() === "" || indent > block)) return [piece("text", line)];
    block = BLOCK.test(withoutComment(line)) ? indent : null;
    return lineTokens(line);
  });
}

function lineTokens(line: string): Token[] {
  const key = KEY.exec(line);
  if (!key) return rest(line);
  const [whole, lead = "", name = "", colon = ""] = key;
  return [
    ...(lead ? [piece("plain", lead)] : []),
    piece("key", name),
    piece("plain", colon),
    ...rest(line.slice(whole.length)),
  ];
}

/** What stands behind a key, or on a line without one. */
function rest(text: string): Token[] {
  if (text === "") return [];
  const value = withoutComment(text);
  const comment = text.slice(value.length);
  const kind = NUMBER.test(value.trim().replace(/^- +/, "")) ? "number" : "text";
  return [
    ...(value ? [piece(value.trim() ? kind : "plain", value)] : []),
    ...(comment ? [piece("comment", comment)] : []),
  ];
}

function withoutComment(text: string): string {
  // A # inside quotes is none; where the quotes are uneven the colour may be wrong, never the text.
  const quoted = /^(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)*/.exec(text)?.[0] ?? "";
  const found = COMMENT.exec(text.slice(quoted.trimEnd().length));
  return found
    ? text.slice(0, quoted.trimEnd().length + found.index + (found[1]?.length ?? 0))
    : text;
}

function piece(kind: TokenKind, text: string): Token {
  return { kind, text };
}
