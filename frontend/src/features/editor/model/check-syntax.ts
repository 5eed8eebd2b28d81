import type { YAMLParseError } from "yaml";

import type { ParsedWorkflow } from "./parse-workflow";
import type { EditorProblem } from "./problems";

const MESSAGES: Partial<Record<YAMLParseError["code"], string>> = {
  TAB_AS_INDENT: "A tab cannot indent YAML. Use spaces.",
  DUPLICATE_KEY: "This key is written twice here. Keep one of them.",
  BAD_INDENT: "Wrong indentation. Align this key with the keys above it, or indent it further.",
  BLOCK_AS_IMPLICIT_KEY:
    "A `:` is not allowed here. Put text that contains `: ` in quotes, or fix the indentation.",
  MULTILINE_IMPLICIT_KEY: "This line has no `:`. Write `key: value`, or indent it below its key.",
  BAD_ALIAS: "A `*` must be followed by an anchor name. Put text that starts with `*` in quotes.",
  BAD_DQ_ESCAPE: "Unknown `\\` escape. Double the backslash, or use single quotes.",
  MULTIPLE_DOCS: "Only one document per file is allowed. Remove this `---`.",
};

/** The errors of the YAML parser. They are reported before the server has checked the document. */
export function checkSyntax({ text, doc, lines }: ParsedWorkflow): EditorProblem[] {
  return doc.errors.map((error) => {
    const from = Math.min(error.pos[0], text.length);
    const lineEnd = text.indexOf("\n", from);
    return {
      from,
      to: Math.max(from, Math.min(error.pos[1], lineEnd === -1 ? text.length : lineEnd)),
      line: lines.linePos(from).line,
      message: describeSyntaxError(error),
      severity: "error",
    };
  });
}

function describeSyntaxError(error: YAMLParseError): string {
  if (/flow (sequence|map)/i.test(error.message)) {
    return "A bracket is not closed, or a `,` is missing.";
  }
  if (error.code === "MISSING_CHAR" && /quote/i.test(error.message)) {
    return "A quote is never closed.";
  }
  const message = MESSAGES[error.code];
  return message ?? `Invalid YAML: ${error.message}.`.replace(/\.\.$/, ".");
}
