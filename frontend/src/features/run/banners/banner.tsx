import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

const STYLES = {
  warn: { box: "border-warn/30 bg-warn-soft", text: "text-warn" },
  err: { box: "border-err/30 bg-err-soft", text: "text-err" },
  live: { box: "border-live/30 bg-live-soft", text: "text-live" },
};

interface Props {
  tone: keyof typeof STYLES;
  icon: LucideIcon;
  title: ReactNode;
  detail?: ReactNode;
  /** Buttons at the end of the line. */
  actions?: ReactNode;
  /** Content below the line, e.g. a form. */
  children?: ReactNode;
}

/** A banner at the top of the run page for something that needs attention. */
export function Banner({ tone, icon: Icon, title, detail, actions, children }: Props) {
  const style = STYLES[tone];
  return (
    <section
      aria-label="Needs attention"
      className={cn("grid gap-2 border-b px-4 py-2.5 sm:px-6", style.box)}
    >
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", style.text)} />
        <div role="status" className="min-w-0 flex-1 basis-60">
          <p className={cn("font-medium break-words", style.text)}>{title}</p>
          {detail && <div className="break-words text-ink-soft">{detail}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children && <div className="min-w-0 sm:pl-7">{children}</div>}
    </section>
  );
}
