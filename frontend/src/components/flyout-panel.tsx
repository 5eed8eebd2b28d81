import { Popover } from "radix-ui";
import { type ReactNode, type RefObject } from "react";

import { cn } from "@/lib/cn";

interface Props {
  anchor: RefObject<HTMLButtonElement | null>;
  label: string;
  className?: string;
  onClose: () => void;
  children: ReactNode;
}

/** The panel of a `Flyout`. */
export function FlyoutPanel({ anchor, label, className, onClose, children }: Props) {
  const ignoreAnchor = (event: { target: EventTarget | null; preventDefault: () => void }) => {
    if (anchor.current?.contains(event.target as Node)) event.preventDefault();
  };
  const restoreFocus = (event: Event) => {
    event.preventDefault();
    // A link in the panel may have opened another page, which has the focus by now.
    if (document.activeElement === document.body) anchor.current?.focus();
  };
  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      <Popover.Anchor virtualRef={anchor as RefObject<HTMLButtonElement>} />
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          onPointerDownOutside={ignoreAnchor}
          onCloseAutoFocus={restoreFocus}
          className={cn(
            "z-40 max-h-(--radix-popover-content-available-height) max-w-[calc(100vw-1rem)] animate-appear overflow-y-auto rounded-lg border bg-raised shadow-xl",
            className,
          )}
        >
          {children}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
