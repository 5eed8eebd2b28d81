import type { EntryPoint } from "@/lib/api/types";

const KINDS: Record<EntryPoint["kind"], string> = {
  "crew-class": "Crew class",
  "crew-file": "Crew file",
  flow: "Flow",
  script: "Script",
};

export function kindLabel(kind: EntryPoint["kind"]): string {
  return KINDS[kind];
}

/** Identifies an entry point in a list. */
export function entryPointKey({ kind, path, name }: EntryPoint): string {
  return JSON.stringify([kind, path, name ?? null]);
}

/** `Flow NewsFlow in src/news/main.py`. */
export function describeEntryPoint(entryPoint: EntryPoint): string {
  const { kind, path, name, title } = entryPoint;
  const what = title || (name ? `${KINDS[kind]} ${name}` : KINDS[kind]);
  return what.includes(path) ? what : `${what} in ${path}`;
}
