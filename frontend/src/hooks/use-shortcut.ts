import { useEffect, useRef } from "react";
import { useStore } from "zustand";

import { addShortcut, shortcutStore, type Shortcut } from "@/lib/shortcuts";

interface Options {
  /** What it does, for the help dialog that `?` opens. */
  description?: string;
  /** Its heading in the help dialog. */
  group?: string;
  enabled?: boolean;
}

/**
 * Calls back when the key is pressed: `useShortcut("e", toggle, "Errors only")`, or `"g d"` for a sequence.
 * Inactive while typing, while a dialog is open, and when the user has turned shortcuts off.
 */
export function useShortcut(
  keys: string,
  callback: () => void,
  options: string | Options = {},
): void {
  const {
    description,
    group = "This page",
    enabled = true,
  } = typeof options === "string" ? { description: options } : options;
  const latest = useRef(callback);
  useEffect(() => {
    latest.current = callback;
  }, [callback]);
  useEffect(() => {
    if (!enabled) return;
    return addShortcut({ keys, description, group, run: () => latest.current() });
  }, [keys, description, group, enabled]);
}

/** Returns every shortcut that is active on the current page. */
export function useActiveShortcuts(): readonly Shortcut[] {
  return useStore(shortcutStore);
}
