import { Slot } from "radix-ui";
import { useId, useRef, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";

const DELAY_MS = 400;
const EDGE = 8;

interface Position {
  /** The landmark around the trigger: content outside of landmarks fails axe. */
  container: Element;
  left: number;
  top: number;
  above: boolean;
}

/**
 * Text that appears next to its child on hover and focus; never the only source of information.
 *
 * Positioned by hand: a positioning library in the initial bundle would be larger than the app shell.
 */
export function Tooltip({ text, children }: { text: ReactNode; children: ReactNode }) {
  const id = useId();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [position, setPosition] = useState<Position | null>(null);

  const show = (element: Element, delay: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setPosition(positionFor(element)), delay);
  };
  const hide = () => {
    clearTimeout(timer.current);
    setPosition(null);
  };

  return (
    <>
      <Slot.Root
        aria-describedby={position ? id : undefined}
        onPointerEnter={(event) =>
          event.pointerType === "mouse" && show(event.currentTarget, DELAY_MS)
        }
        onPointerLeave={hide}
        onPointerDown={hide}
        onFocus={(event) =>
          event.currentTarget.matches(":focus-visible") && show(event.currentTarget, 0)
        }
        onBlur={hide}
        onKeyDown={(event) => event.key === "Escape" && hide()}
      >
        {children}
      </Slot.Root>
      {position &&
        createPortal(
          <div
            id={id}
            role="tooltip"
            style={{ left: position.left, top: position.top }}
            className={`pointer-events-none fixed z-50 max-w-72 -translate-x-1/2 animate-appear rounded-sm bg-ink px-2 py-1 text-xs text-surface ${position.above ? "-translate-y-full" : ""}`}
          >
            {text}
          </div>,
          position.container,
        )}
    </>
  );
}

function positionFor(element: Element): Position {
  const box = element.getBoundingClientRect();
  const centre = box.left + box.width / 2;
  const above = box.bottom + 40 > window.innerHeight;
  return {
    container: containerFor(element),
    left: Math.min(Math.max(centre, EDGE + 60), window.innerWidth - EDGE - 60),
    top: above ? box.top - 6 : box.bottom + 6,
    above,
  };
}

// Dialogs are transformed, which makes `position: fixed` inside them relative to the dialog.
function containerFor(element: Element): Element {
  const landmark = element.closest("main, nav, header, [role=dialog], [role=alertdialog]");
  return landmark && !landmark.role ? landmark : document.body;
}
