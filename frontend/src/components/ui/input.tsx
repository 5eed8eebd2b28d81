import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

const styles =
  "w-full rounded-md border border-line-strong/60 bg-surface px-2.5 text-ink placeholder:text-ink-faint disabled:cursor-not-allowed disabled:bg-sunken disabled:text-ink-faint aria-invalid:border-err";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(styles, "h-8 max-sm:h-10 max-sm:text-base", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea className={cn(styles, "min-h-20 py-1.5 max-sm:text-base", className)} {...rest} />
  );
}

/** A native select: usable on phones and by screen readers. */
export function Select({ className, ...rest }: ComponentProps<"select">) {
  return (
    <select className={cn(styles, "h-8 pr-7 max-sm:h-10 max-sm:text-base", className)} {...rest} />
  );
}
