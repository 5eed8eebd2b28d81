import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";

import { NAVIGATION_LINKS } from "@/components/navigation-links";
import { useShortcut } from "@/hooks/use-shortcut";
import { useCan } from "@/lib/rights";
import { addShortcut } from "@/lib/shortcuts";

import type { Overlay } from "./overlay";

/** Registers the keyboard shortcuts that work on every page. */
export function useGlobalShortcuts(open: (overlay: Overlay) => void): void {
  const navigate = useNavigate();

  useEffect(() => {
    const cleanups = NAVIGATION_LINKS.map(({ to, label, letter }) =>
      addShortcut({
        keys: `g ${letter}`,
        description: label,
        group: "Go to",
        run: () => void navigate({ to }),
      }),
    );
    return () => cleanups.forEach((cleanup) => cleanup());
  }, [navigate]);

  useShortcut("c", () => void navigate({ to: "/workflows/new" }), {
    description: "New workflow",
    group: "Anywhere",
    enabled: useCan("workflows:write"),
  });
  useShortcut("?", () => open("shortcuts"), {
    description: "Keyboard shortcuts",
    group: "Anywhere",
  });
  usePaletteShortcut(open);
}

/** Opens the palette on Ctrl K or ⌘ K, also while typing. */
function usePaletteShortcut(open: (overlay: Overlay) => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      if (event.altKey || event.shiftKey) return;
      event.preventDefault();
      open("palette");
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [open]);
}
