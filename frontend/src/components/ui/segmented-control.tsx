import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

interface Props<T extends string> {
  /** Accessible name of the group. */
  label: string;
  options: { value: T; label: ReactNode }[];
  value: T;
  onChange: (value: T) => void;
  className?: string;
}

/** A radio group in a row. */
export function SegmentedControl<T extends string>({
  label,
  options,
  value,
  onChange,
  className,
}: Props<T>) {
  return (
    <fieldset className={cn("inline-flex rounded-md border bg-sunken p-0.5", className)}>
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className="inline-flex h-7 cursor-pointer items-center gap-1.5 rounded-sm px-2.5 font-medium text-ink-soft has-checked:bg-surface has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent max-sm:h-10 [&_svg]:size-4"
        >
          <input
            type="radio"
            className="sr-only"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            name={label}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
