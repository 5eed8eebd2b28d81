import { useRef } from "react";

/**
 * Handlers that restore the focus when a Radix dialog without a `Trigger` closes; Radix restores it only
 * to a trigger.
 */
export function useRestoreFocus(): {
  onOpenAutoFocus: () => void;
  onCloseAutoFocus: (event: Event) => void;
} {
  const previous = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: () => {
      previous.current = document.activeElement;
    },
    onCloseAutoFocus: (event) => {
      event.preventDefault();
      // Another element may have the focus by now, e.g. the page that a link in the dialog opened.
      const isLost = document.activeElement === null || document.activeElement === document.body;
      if (isLost && previous.current instanceof HTMLElement) previous.current.focus();
    },
  };
}
