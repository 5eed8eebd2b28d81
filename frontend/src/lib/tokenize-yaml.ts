/** A small tokenizer that colours read-only YAML without loading the editor. */

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

/** Splits each line into tokens. The concatenated tokens are the line. */
export function tokenizeYaml(text: string): Token[][] {
  /** Indentation of the key whose block text (`|` or `>`) is open. */
  let blockIndent: number | null = null;
  return text.split("\n").map((line) => {
    const indent = line.length - line.trimStart().length;
    if (blockIndent !== null && (line.trim() === "" || indent > blockIndent)) {
      return [{ kind: "text", text: line }];
    }
    blockIndent = BLOCK.test(removeComment(line)) ? indent : null;
    return tokenizeLine(line);
  });
}

function tokenizeLine(line: string): Token[] {
  const key = KEY.exec(line);
  if (!key) return tokenizeValue(line);
  const [whole, lead = "", name = "", colon = ""] = key;
  const tokens: Token[] = [
    { kind: "plain", text: lead },
    { kind: "key", text: name },
    { kind: "plain", text: colon },
    ...tokenizeValue(line.slice(whole.length)),
  ];
  return tokens.filter(({ text }) => text !== "");
}

/** Tokenizes the text after a key, or a line without a key. */
function tokenizeValue(text: string): Token[] {
  const value = removeComment(text);
  const isNumber = NUMBER.test(value.trim().replace(/^- +/, ""));
  const kind = value.trim() === "" ? "plain" : isNumber ? "number" : "text";
  const tokens: Token[] = [
    { kind, text: value },
    { kind: "comment", text: text.slice(value.length) },
  ];
  return tokens.filter(({ text }) => text !== "");
}

function removeComment(text: string): string {
  // A `#` in quotes is not a comment. With unbalanced quotes the colour may be wrong.
  const quoted = /^(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)*/.exec(text)?.[0] ?? "";
  const found = COMMENT.exec(text.slice(quoted.trimEnd().length));
  return found
    ? text.slice(0, quoted.trimEnd().length + found.index + (found[1]?.length ?? 0))
    : text;
}
