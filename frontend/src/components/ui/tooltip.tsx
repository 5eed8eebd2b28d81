import { Slot } from "radix-ui";
import { useId, useRef, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";

const DELAY_MS = 400;
const EDGE = 8;

interface Place {
  /** Where it is drawn: inside the landmark of its child, so that no text stands outside of all. */
  home: Element;
  left: number;
  top: number;
  above: boolean;
}

/**
 * Words that appear beside its child on hover and focus. Never the only place of what must be known.
 *
 * Placed by hand: a positioning library in the first download would weigh more than the whole shell.
 */
export function Tooltip({ text, children }: { text: ReactNode; children: ReactNode }) {
  const id = useId();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [place, setPlace] = useState<Place | null>(null);

  const show = (element: Element, delay: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setPlace(placeFor(element)), delay);
  };
  const hide = () => {
    clearTimeout(timer.current);
    setPlace(null);
  };

  return (
    <>
      <Slot.Root
        aria-describedby={place ? id : undefined}
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
      {place &&
        createPortal(
          <div
            id={id}
            role="tooltip"
            style={{ left: place.left, top: place.top }}
            className={`pointer-events-none fixed z-50 max-w-72 -translate-x-1/2 animate-appear rounded-sm bg-ink px-2 py-1 text-xs text-surface ${place.above ? "-translate-y-full" : ""}`}
          >
            {text}
          </div>,
          place.home,
        )}
    </>
  );
}

function placeFor(element: Element): Place {
  const box = element.getBoundingClientRect();
  const centre = box.left + box.width / 2;
  const above = box.bottom + 40 > window.innerHeight;
  return {
    home: homeOf(element),
    left: Math.min(Math.max(centre, EDGE + 60), window.innerWidth - EDGE - 60),
    top: above ? box.top - 6 : box.bottom + 6,
    above,
  };
}

// A dialog is moved by a transform, and what is fixed inside would be placed from its corner.
function homeOf(element: Element): Element {
  const landmark = element.closest("main, nav, header, [role=dialog], [role=alertdialog]");
  return landmark && !landmark.role ? landmark : document.body;
}
