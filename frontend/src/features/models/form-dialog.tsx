import { useEffect, useState, type ReactNode } from "react";

import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Dialog } from "@/components/ui/dialog";

interface Props {
  title: ReactNode;
  description?: ReactNode;
  onClose: () => void;
  className?: string;
  /** Given where to tell whether something was typed that is not saved: closing then asks first. */
  children: (onTouched: (touched: boolean) => void) => ReactNode;
}

/** A window with a form in it, which does not throw away what was typed. */
export function FormDialog({ title, description, onClose, className, children }: Props) {
  const [touched, setTouched] = useState(false);
  const [asking, setAsking] = useState(false);

  const close = () => {
    // Escape belongs to an open list of choices first.
    if (document.activeElement?.getAttribute("aria-expanded") === "true") return;
    if (touched) setAsking(true);
    else onClose();
  };

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={title}
      description={description}
      className={className}
    >
      {children(setTouched)}
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title="Discard what you typed?"
        description="Nothing of it has been saved."
        action="Discard"
        onConfirm={onClose}
      />
    </Dialog>
  );
}

/** Tells the window around a form whether something was typed that is not saved. */
export function useTouched(onTouched: (touched: boolean) => void, isDirty: boolean): void {
  useEffect(() => {
    onTouched(isDirty);
    return () => onTouched(false);
  }, [onTouched, isDirty]);
}

/** Begins a form at the field that matters; without one the window's own order holds. */
export function useFirstField<T extends string>(field: T | null, focus: (field: T) => void): void {
  useEffect(() => {
    if (field) focus(field);
  }, [field, focus]);
}

/** The buttons of a form, always in sight. */
export function FormFooter({ children }: { children: ReactNode }) {
  return (
    <div className="sticky -bottom-4 z-10 -mx-5 -mb-4 flex flex-wrap items-center justify-end gap-2 rounded-b-lg border-t bg-raised px-5 py-3">
      {children}
    </div>
  );
}
