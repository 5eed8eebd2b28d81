import { previewText } from "@/lib/format";

export interface Output {
  raw: string;
  /** Structured output; undefined for plain text. */
  json: unknown;
}

/** Reads an output. Models asked for JSON often return it as text, so such text is parsed. */
export function parseOutput(result: { raw: string; jsonOutput?: unknown }): Output {
  return { raw: result.raw, json: result.jsonOutput ?? parseJson(result.raw) };
}

function parseJson(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return undefined;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return undefined;
  }
}

/** The text to copy or download; JSON is indented. */
export function outputToText({ raw, json }: Output): string {
  return json === undefined ? raw : JSON.stringify(json, null, 2);
}

/** The first line with text, without Markdown syntax, at most `length` characters. */
export function previewMarkdown(text: string, length: number): string {
  const line = text.split("\n").find((candidate) => /[\p{L}\p{N}]/u.test(candidate)) ?? "";
  const plain = line.replace(/^[\s#>*+-]+/, "").replace(/(\*\*|__|`)/g, "");
  return previewText(plain, length);
}
