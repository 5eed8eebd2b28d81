import { useEffect, useRef, useSyncExternalStore } from "react";

import {
  getActiveShortcuts,
  addShortcut,
  subscribeToShortcuts,
  type Shortcut,
} from "@/lib/shortcuts";

interface Options {
  /** What it does, for the sheet that `?` opens. */
  description?: string;
  /** The heading it stands under in the sheet. */
  group?: string;
  enabled?: boolean;
}

/**
 * Calls back when the key is pressed: `useShortcut("e", toggle, "Errors only")`, or `"g d"` for one after
 * the other. Off while somebody types, behind a dialog, and when the person has turned shortcuts off.
 */
export function useShortcut(
  keys: string,
  callback: () => void,
  about: string | Options = {},
): void {
  const {
    description,
    group = "This page",
    enabled = true,
  } = typeof about === "string" ? { description: about } : about;
  const latest = useRef(callback);
  useEffect(() => {
    latest.current = callback;
  }, [callback]);
  useEffect(() => {
    if (!enabled) return;
    return addShortcut({ keys, description, group, run: () => latest.current() });
  }, [keys, description, group, enabled]);
}

/** Every shortcut that works on the page as it stands. */
export function useActiveShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(subscribeToShortcuts, getActiveShortcuts);
}
