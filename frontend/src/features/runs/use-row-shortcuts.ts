import type { RefObject } from "react";

import { useShortcut } from "@/hooks/use-shortcut";

/** `j` and `k` move the focus from run to run, `x` selects the one in focus; Enter is the link's own. */
export function useRowShortcuts(
  place: RefObject<HTMLElement | null>,
  onToggle: (runId: string) => void,
): void {
  const move = (by: number) => {
    const links = [...(place.current?.querySelectorAll<HTMLElement>("[data-run-link]") ?? [])];
    const row = rowInFocus();
    const at = row ? links.findIndex((link) => row.contains(link)) : -1;
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  const toggle = () => {
    const id = rowInFocus()?.dataset.run;
    if (id) onToggle(id);
  };
  useShortcut("j", () => move(1), "Next run");
  useShortcut("k", () => move(-1), "Previous run");
  useShortcut("x", toggle, "Select the run");
}

function rowInFocus(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>("[data-run]") ?? null;
}
