import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";

import { useRestoreFocus } from "@/hooks/use-restore-focus";
import { cn } from "@/lib/cn";

import { Button } from "./button";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  /** Buttons in the footer. */
  footer?: ReactNode;
  className?: string;
  /** When false, only the dialog's own buttons close it. */
  closable?: boolean;
  children?: ReactNode;
}

/** A modal dialog that restores the focus when it closes. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  footer,
  className,
  closable = true,
  children,
}: Props) {
  const restoreFocus = useRestoreFocus();
  const preventClose = (event: Event) => {
    if (!closable) event.preventDefault();
  };
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Primitive.Content
          onEscapeKeyDown={preventClose}
          onPointerDownOutside={preventClose}
          {...restoreFocus}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cn(
            "fixed top-1/2 left-1/2 z-40 flex max-h-[90dvh] w-[min(32rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 animate-appear flex-col rounded-lg border bg-raised shadow-xl",
            className,
          )}
        >
          <header className="flex items-start justify-between gap-4 px-5 pt-4">
            <div>
              <Primitive.Title className="text-base font-semibold">{title}</Primitive.Title>
              {description && (
                <Primitive.Description className="mt-1 text-ink-soft">
                  {description}
                </Primitive.Description>
              )}
            </div>
            {closable && (
              <Primitive.Close asChild>
                <Button variant="ghost" size="icon-sm" className="-mr-2">
                  <X aria-hidden />
                  <span className="sr-only">Close</span>
                </Button>
              </Primitive.Close>
            )}
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
          {footer && (
            <footer className="flex flex-wrap justify-end gap-2 border-t px-5 py-3">
              {footer}
            </footer>
          )}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
