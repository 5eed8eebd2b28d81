import { Slot } from "radix-ui";
import { useId, type ReactNode } from "react";

import { cn } from "@/lib/cn";

interface Props {
  label: ReactNode;
  /** One sentence of help under the label's control. */
  hint?: ReactNode;
  /** What is wrong with the value. */
  error?: ReactNode;
  required?: boolean;
  className?: string;
  /** One control; it is given its id and told of the hint and the error. */
  children: ReactNode;
}

/** A labelled control with its help and its error, tied together for every reader. */
export function Field({ label, hint, error, required, className, children }: Props) {
  const id = useId();
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={cn("grid content-start gap-1", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
        {required && <span className="ml-1 font-normal text-ink-faint">(required)</span>}
      </label>
      <Slot.Root
        {...{ id }}
        aria-describedby={told || undefined}
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
