/** Plain words for what the YAML parser says. */
import { visit, type YAMLParseError } from "yaml";

import { spanOf, type Parsed } from "./document";
import type { EditorProblem } from "./problems";

const WORDS: Partial<Record<YAMLParseError["code"], string>> = {
  TAB_AS_INDENT: "A tab cannot indent YAML. Use spaces.",
  DUPLICATE_KEY: "This key is written twice here. Keep one of them.",
  BAD_INDENT:
    "The indentation does not fit: line this key up with the keys above it, or indent it further.",
  BLOCK_AS_IMPLICIT_KEY:
    "A `:` where none may stand. Put the text in quotes if it contains `: `, or mend the indentation.",
  MULTILINE_IMPLICIT_KEY: "This line has no `:`. Write `key: value`, or indent it below its key.",
  BAD_ALIAS:
    "A `*` needs the name of an anchor behind it. Put the text in quotes if it starts with `*`.",
  BAD_DQ_ESCAPE: "An unknown `\\` escape. Double the backslash, or use single quotes.",
  MULTIPLE_DOCS: "Only one document per file: remove this `---`.",
};

export function syntaxProblems({ text, doc, lines }: Parsed): EditorProblem[] {
  return doc.errors.map((error) => {
    const from = Math.min(error.pos[0], text.length);
    return {
      from,
      to: Math.max(from, Math.min(error.pos[1], endOfLine(text, from))),
      line: lines.linePos(from).line,
      message: wordsOf(error),
      code: error.code === "DUPLICATE_KEY" ? "duplicate-key" : "syntax",
      severity: "error" as const,
      source: "browser" as const,
    };
  });
}

/** Aliases of anchors that are not there: the parser finds no fault with them, but they have no value. */
export function aliasProblems({ doc, lines }: Parsed): EditorProblem[] {
  const found: EditorProblem[] = [];
  visit(doc, {
    Alias: (_, alias) => {
      if (alias.resolve(doc)) return;
      const span = spanOf(alias);
      found.push({
        ...span,
        line: lines.linePos(span.from).line,
        message: `\`*${alias.source}\` has no \`&${alias.source}\` before it.`,
        code: "unknown-alias",
        severity: "error",
        source: "browser",
      });
    },
  });
  return found;
}

function wordsOf(error: YAMLParseError): string {
  const known = WORDS[error.code];
  if (known) return known;
  if (error.code === "MISSING_CHAR" && /quote/i.test(error.message)) {
    return "A quote is opened here and never closed.";
  }
  if (/flow (sequence|map)/i.test(error.message)) {
    return "A bracket is opened here: a `,` or the closing one is missing.";
  }
  return `This is not valid YAML: ${error.message}.`.replace(/\.\.$/, ".");
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}
