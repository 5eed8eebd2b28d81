import type { VersionDiff } from "@/lib/api/types";

type Change = VersionDiff["changes"][number];

const NOUNS: Record<string, string> = { agents: "Agent", tasks: "Task", inputs: "Input" };
const VERBS: Record<Change["kind"], string> = {
  added: "added",
  removed: "removed",
  changed: "changed",
  moved: "reordered",
};

/** `Agent writer: goal changed`, `Task draft removed`, `Tasks reordered`. */
export function describeChange({ path, kind }: Change): string {
  const [section = "", ...rest] = path.split(".");
  const noun = NOUNS[section];
  if (!noun || rest.length === 0) return `${capitalize(toWords(path))} ${VERBS[kind]}`;
  const [name, ...field] = rest;
  const subject = `${noun} ${name}`;
  return field.length > 0
    ? `${subject}: ${toWords(field.join("."))} ${VERBS[kind]}`
    : `${subject} ${VERBS[kind]}`;
}

/** A value on one line; null for values that are not shown, such as a whole agent. */
export function formatValue(value: unknown): string | null {
  if (value == null) return null;
  if (typeof value === "string") return value === "" ? "empty" : value;
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) {
    return value.length > 0 ? value.join(", ") : "none";
  }
  return typeof value === "object" ? null : JSON.stringify(value);
}

/** `expectedOutput` → `expected output`; `model.settings.maxTokens` → `model, settings, max tokens`. */
function toWords(path: string): string {
  return path
    .replaceAll(".", ", ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
