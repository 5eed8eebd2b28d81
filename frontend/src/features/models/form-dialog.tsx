import { useEffect, useState, type ReactNode } from "react";

import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Dialog } from "@/components/ui/dialog";

interface Props {
  title: ReactNode;
  description?: ReactNode;
  onClose: () => void;
  className?: string;
  /** Renders the form, which reports unsaved changes: closing then asks for confirmation. */
  children: (onTouched: (touched: boolean) => void) => ReactNode;
}

/** A dialog with a form; asks before it discards unsaved changes. */
export function FormDialog({ title, description, onClose, className, children }: Props) {
  const [touched, setTouched] = useState(false);
  const [asking, setAsking] = useState(false);

  const close = () => {
    // Escape closes an open list of options first.
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
        title="Discard changes?"
        description="Your changes have not been saved."
        action="Discard"
        onConfirm={onClose}
      />
    </Dialog>
  );
}

/** Reports unsaved changes of a form to its dialog. */
export function useReportDirty(onTouched: (touched: boolean) => void, isDirty: boolean): void {
  useEffect(() => {
    onTouched(isDirty);
    return () => onTouched(false);
  }, [onTouched, isDirty]);
}

/** Focuses a field when the form opens; null keeps the dialog's default. */
export function useInitialFocus<T extends string>(
  field: T | null,
  focus: (field: T) => void,
): void {
  useEffect(() => {
    if (field) focus(field);
  }, [field, focus]);
}

/** Sticky footer with the buttons of a form. */
export function FormFooter({ children }: { children: ReactNode }) {
  return (
    <div className="sticky -bottom-4 z-10 -mx-5 -mb-4 flex flex-wrap items-center justify-end gap-2 rounded-b-lg border-t bg-raised px-5 py-3">
      {children}
    </div>
  );
}
