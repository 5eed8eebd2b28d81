import type { ReactNode } from "react";

import { usePageTitle } from "@/hooks/use-page-title";
import { cn } from "@/lib/cn";

interface Props {
  /** The `h1` and the document's title. */
  title: string;
  /** Replaces the title as the visible heading, e.g. to add a badge. */
  heading?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  /** Takes the full height, for pages with their own scroll containers. */
  fill?: boolean;
  className?: string;
  children: ReactNode;
}

/** Layout of every page: heading, actions, content. */
export function Page({ title, heading, description, actions, fill, className, children }: Props) {
  usePageTitle(title);
  return (
    <div
      className={cn(
        "mx-auto flex w-full flex-col gap-4 p-4 sm:p-6",
        fill ? "h-full min-h-0 max-w-none" : "max-w-6xl",
        className,
      )}
    >
      <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h1 className="text-xl leading-7 font-semibold break-words">{heading ?? title}</h1>
          {description && <p className="text-ink-soft">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
