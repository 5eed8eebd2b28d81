import { useSyncExternalStore } from "react";

/** Words that a person has begun to write, kept in this tab of the browser until they are sent. */
const PREFIX = "crewai-runner:draft:";
const kept = new Map<string, string>();
const listeners = new Set<() => void>();

export function draft(name: string): string {
  if (!kept.has(name)) kept.set(name, stored(name));
  return kept.get(name) ?? "";
}

export function setDraft(name: string, text: string): void {
  kept.set(name, text);
  try {
    if (text) sessionStorage.setItem(PREFIX + name, text);
    else sessionStorage.removeItem(PREFIX + name);
  } catch {
    // The draft then lives as long as this page does.
  }
  for (const tell of listeners) tell();
}

/** A draft and its setter; two forms with the same name share it. */
export function useDraft(name: string): [string, (text: string) => void] {
  const text = useSyncExternalStore(subscribe, () => draft(name));
  return [text, (next) => setDraft(name, next)];
}

function stored(name: string): string {
  try {
    return sessionStorage.getItem(PREFIX + name) ?? "";
  } catch {
    return "";
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
