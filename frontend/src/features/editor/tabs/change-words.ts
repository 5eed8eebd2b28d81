import type { VersionDiff } from "@/lib/api/types";

type Change = VersionDiff["changes"][number];

const NOUNS: Record<string, string> = { agents: "Agent", tasks: "Task", inputs: "Input" };
const VERBS: Record<Change["kind"], string> = {
  added: "added",
  removed: "removed",
  changed: "changed",
  moved: "put in another order",
};

/** `Agent writer: goal changed`, `Task draft removed`, `Tasks put in another order`. */
export function changeWords({ path, kind }: Change): string {
  const [section = "", ...rest] = path.split(".");
  const noun = NOUNS[section];
  if (!noun || rest.length === 0) return `${sentence(path)} ${VERBS[kind]}`;
  const [name, ...field] = rest;
  const subject = `${noun} ${name}`;
  return field.length > 0
    ? `${subject}: ${words(field.join("."))} ${VERBS[kind]}`
    : `${subject} ${VERBS[kind]}`;
}

/** A value in a line, or null when it is better left out: a whole agent, an order of names. */
export function valueWords(value: unknown): string | null {
  if (value == null) return null;
  if (typeof value === "string") return value === "" ? "empty" : value;
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) {
    return value.length > 0 ? value.join(", ") : "none";
  }
  return typeof value === "object" ? null : JSON.stringify(value);
}

/** `expectedOutput` → `expected output`; `model.settings.maxTokens` → `model, settings, max tokens`. */
function words(path: string): string {
  return path
    .replaceAll(".", ", ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

function sentence(path: string): string {
  const text = words(path);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
