import type { RefObject } from "react";

import { useShortcut } from "@/hooks/use-shortcut";

/** `j` and `k` move the focus between runs, `x` selects the focused run. */
export function useRowShortcuts(
  container: RefObject<HTMLElement | null>,
  onToggle: (runId: string) => void,
): void {
  const move = (by: number) => {
    const links = [...(container.current?.querySelectorAll<HTMLElement>("[data-run-link]") ?? [])];
    const row = focusedRow();
    const at = row ? links.findIndex((link) => row.contains(link)) : -1;
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  const toggle = () => {
    const id = focusedRow()?.dataset.run;
    if (id) onToggle(id);
  };
  useShortcut("j", () => move(1), "Next run");
  useShortcut("k", () => move(-1), "Previous run");
  useShortcut("x", toggle, "Select run");
}

function focusedRow(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>("[data-run]") ?? null;
}
