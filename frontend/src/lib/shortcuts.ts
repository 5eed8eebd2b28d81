/** The keys that do something on the page as it stands: one listener for all, and a list for the sheet. */
import { getPreference } from "./preferences";

export interface Shortcut {
  /** Keys as `KeyboardEvent.key` names them, one after the other: `e`, `?`, `g d`. */
  keys: string;
  /** What it does, for the sheet of shortcuts; without it the sheet leaves it out. */
  description?: string;
  group: string;
  run: () => void;
}

const SEQUENCE_MS = 1_500;

let active: readonly Shortcut[] = [];
let begun: { key: string; at: number } | null = null;
const listeners = new Set<() => void>();

export function getActiveShortcuts(): readonly Shortcut[] {
  return active;
}

export function subscribeToShortcuts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Makes a shortcut work until the returned function is called; of two with the same keys the later one wins. */
export function addShortcut(shortcut: Shortcut): () => void {
  if (active.length === 0) window.addEventListener("keydown", onKeyDown);
  become([...active, shortcut]);
  return () => {
    become(active.filter((one) => one !== shortcut));
    if (active.length === 0) window.removeEventListener("keydown", onKeyDown);
  };
}

function become(next: readonly Shortcut[]): void {
  active = next;
  for (const tell of listeners) tell();
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!getPreference("shortcuts") || isTyping(event.target) || isBehindDialog()) return;
  const found = match(event.key, event.timeStamp);
  if (!found) return;
  event.preventDefault();
  found.run();
}

/** The shortcut that a key ends, after the one before it; a key that begins a sequence is kept in mind. */
function match(key: string, at: number): Shortcut | undefined {
  const first = begun && at - begun.at < SEQUENCE_MS ? begun.key : null;
  begun = null;
  const complete = first === null ? undefined : last(`${first} ${key}`);
  if (complete) return complete;
  if (active.some((one) => one.keys.startsWith(`${key} `))) begun = { key, at };
  return last(key);
}

function last(keys: string): Shortcut | undefined {
  return active.findLast((one) => one.keys === keys);
}

/** Letters belong to whoever writes, and to lists that are searched by their first letter. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest(
      "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true], [role=menu], [role=listbox], [role=textbox]",
    ) !== null
  );
}

function isBehindDialog(): boolean {
  return (
    document.querySelector(
      "[role=dialog][data-state=open], [role=alertdialog][data-state=open]",
    ) !== null
  );
}
