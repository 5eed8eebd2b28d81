import { Slot } from "radix-ui";
import { useId, type ReactNode } from "react";

import { cn } from "@/lib/cn";

interface Props {
  label: ReactNode;
  /** Help text below the control. */
  hint?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  className?: string;
  /** One control; it gets an id and ARIA attributes for the hint and the error. */
  children: ReactNode;
}

/** A labelled control with an accessible hint and error. */
export function Field({ label, hint, error, required, className, children }: Props) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={cn("grid content-start gap-1", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
        {required && <span className="ml-1 font-normal text-ink-faint">(required)</span>}
      </label>
      <Slot.Root
        {...{ id }}
        aria-describedby={describedBy || undefined}
        aria-invalid={error ? true : undefined}
        aria-required={required || undefined}
      >
        {children}
      </Slot.Root>
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-ink-faint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-xs text-err">
          {error}
        </p>
      )}
    </div>
  );
}
