import type { ToolArgument } from "@/lib/find-tools";

/** The arguments of a call: lists and objects are typed as JSON, empty fields are left out. */
export function toArguments(
  args: ToolArgument[],
  texts: Record<string, string>,
): Record<string, unknown> {
  const given = args.filter(({ name }) => (texts[name] ?? "") !== "");
  return Object.fromEntries(given.map(({ name, type }) => [name, read(type, texts[name] ?? "")]));
}

/** Text that is not of its type is sent as it is: the server says what is wrong. */
function read(type: string, text: string): unknown {
  if (type === "string" || type === "text") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
