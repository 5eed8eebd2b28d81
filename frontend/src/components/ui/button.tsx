import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

const button = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:cursor-not-allowed aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-accent text-accent-ink hover:bg-accent-hover",
        outline: "border border-line bg-surface text-ink hover:bg-hover",
        ghost: "text-ink-soft hover:bg-hover hover:text-ink",
        danger: "border border-err/40 bg-err-soft text-err hover:border-err",
        link: "text-accent underline-offset-4 hover:underline",
      },
      size: {
        sm: "h-7 px-2 text-[13px] max-sm:h-9",
        md: "h-8 px-3 max-sm:h-10",
        lg: "h-10 px-4",
        icon: "size-8 max-sm:size-10",
        "icon-sm": "size-7 max-sm:size-9",
        inline: "h-auto p-0",
      },
    },
    defaultVariants: { variant: "outline", size: "md" },
  },
);

interface Props extends ComponentProps<"button">, VariantProps<typeof button> {
  /** Applies the styles to the only child, e.g. a link. */
  asChild?: boolean;
  /** Shows a spinner and disables the button while its action runs. */
  busy?: boolean;
}

export function Button({ variant, size, asChild, busy, className, children, ...rest }: Props) {
  const styles = cn(button({ variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={styles} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      className={styles}
      aria-busy={busy || undefined}
      {...rest}
      disabled={rest.disabled || busy}
    >
      {busy && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  );
}
