import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

const LOOKS = {
  warn: { box: "border-warn/30 bg-warn-soft", words: "text-warn" },
  err: { box: "border-err/30 bg-err-soft", words: "text-err" },
  live: { box: "border-live/30 bg-live-soft", words: "text-live" },
};

interface Props {
  tone: keyof typeof LOOKS;
  icon: LucideIcon;
  title: ReactNode;
  detail?: ReactNode;
  /** At the end of the line. */
  actions?: ReactNode;
  /** Below the line, e.g. a form. */
  children?: ReactNode;
}

/** The one thing about a run that a person should look at first. */
export function BannerBox({ tone, icon: Icon, title, detail, actions, children }: Props) {
  const looks = LOOKS[tone];
  return (
    <section
      aria-label="Needs attention"
      className={cn("grid gap-2 border-b px-4 py-2.5 sm:px-6", looks.box)}
    >
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", looks.words)} />
        <div role="status" className="min-w-0 flex-1 basis-60">
          <p className={cn("font-medium break-words", looks.words)}>{title}</p>
          {detail && <div className="break-words text-ink-soft">{detail}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children && <div className="min-w-0 sm:pl-7">{children}</div>}
    </section>
  );
}
