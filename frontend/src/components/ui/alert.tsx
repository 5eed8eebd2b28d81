import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

const TONES = {
  info: { Icon: Info, className: "border-live/30 bg-live-soft text-live" },
  warn: { Icon: TriangleAlert, className: "border-warn/30 bg-warn-soft text-warn" },
  err: { Icon: CircleAlert, className: "border-err/30 bg-err-soft text-err" },
};

interface Props {
  tone?: keyof typeof TONES;
  title: ReactNode;
  /** Buttons or links that fix the problem. */
  actions?: ReactNode;
  className?: string;
  children?: ReactNode;
}

/** An inline message; errors are announced by screen readers immediately. */
export function Alert({ tone = "info", title, actions, className, children }: Props) {
  const { Icon, className: styles } = TONES[tone];
  return (
    <div
      role={tone === "err" ? "alert" : "status"}
      className={cn(
        "flex flex-wrap items-start gap-x-3 gap-y-2 rounded-md border px-3 py-2",
        styles,
        className,
      )}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 flex-1 basis-48">
        <p className="font-medium">{title}</p>
        {children && <div className="mt-0.5 break-words text-ink-soft">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}
