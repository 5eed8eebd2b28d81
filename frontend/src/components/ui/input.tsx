import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

const looks =
  "w-full rounded-md border border-line-strong/60 bg-surface px-2.5 text-ink placeholder:text-ink-faint disabled:cursor-not-allowed disabled:bg-sunken disabled:text-ink-faint aria-invalid:border-err";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(looks, "h-8 max-sm:h-10 max-sm:text-base", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea className={cn(looks, "min-h-20 py-1.5 max-sm:text-base", className)} {...rest} />
  );
}

/** The browser's own list of choices: right on a phone, and for every screen reader. */
export function Select({ className, ...rest }: ComponentProps<"select">) {
  return (
    <select className={cn(looks, "h-8 pr-7 max-sm:h-10 max-sm:text-base", className)} {...rest} />
  );
}
