/** Keyboard shortcuts that are active on the current page: one key listener, and a list for the help dialog. */
import { createStore } from "zustand";

import { getPreference } from "./preferences";

export interface Shortcut {
  /** Keys as `KeyboardEvent.key` names them, separated by spaces: `e`, `?`, `g d`. */
  keys: string;
  /** What it does; a shortcut without a description is not listed in the help dialog. */
  description?: string;
  group: string;
  run: () => void;
}

const SEQUENCE_MS = 1_500;

export const shortcutStore = createStore<readonly Shortcut[]>(() => []);
let pendingKey: { key: string; at: number } | null = null;

/** Activates a shortcut until the returned function is called; the latest of two with the same keys wins. */
export function addShortcut(shortcut: Shortcut): () => void {
  if (shortcutStore.getState().length === 0) window.addEventListener("keydown", onKeyDown);
  shortcutStore.setState((active) => [...active, shortcut], true);
  return () => {
    shortcutStore.setState((active) => active.filter((one) => one !== shortcut), true);
    if (shortcutStore.getState().length === 0) window.removeEventListener("keydown", onKeyDown);
  };
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!getPreference("shortcuts") || isTyping(event.target) || isDialogOpen()) return;
  const shortcut = matchShortcut(event.key, event.timeStamp);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.run();
}

/** Finds the shortcut that `key` completes; remembers a key that starts a sequence. */
function matchShortcut(key: string, at: number): Shortcut | undefined {
  const first = pendingKey && at - pendingKey.at < SEQUENCE_MS ? pendingKey.key : null;
  pendingKey = null;
  const sequence = first === null ? undefined : findShortcut(`${first} ${key}`);
  if (sequence) return sequence;
  if (shortcutStore.getState().some((one) => one.keys.startsWith(`${key} `))) {
    pendingKey = { key, at };
  }
  return findShortcut(key);
}

function findShortcut(keys: string): Shortcut | undefined {
  return shortcutStore.getState().findLast((one) => one.keys === keys);
}

/** True in text fields, and in lists and menus, which search by first letter. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest(
      "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true], [role=menu], [role=listbox], [role=textbox]",
    ) !== null
  );
}

function isDialogOpen(): boolean {
  return (
    document.querySelector(
      "[role=dialog][data-state=open], [role=alertdialog][data-state=open]",
    ) !== null
  );
}
