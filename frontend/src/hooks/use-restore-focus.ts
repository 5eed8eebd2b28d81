import { useRef } from "react";

/**
 * Handlers for a Radix dialog that no trigger of its own has opened: without them its focus is lost when
 * it closes, instead of going back to where it was.
 */
export function useRestoreFocus(): {
  onOpenAutoFocus: () => void;
  onCloseAutoFocus: (event: Event) => void;
} {
  const before = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: () => {
      before.current = document.activeElement;
    },
    onCloseAutoFocus: (event) => {
      event.preventDefault();
      // When something has taken the focus meanwhile, e.g. the page a link led to, it keeps it.
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost && before.current instanceof HTMLElement) before.current.focus();
    },
  };
}
