import { Link } from "@tanstack/react-router";
import { BookOpenText, ExternalLink } from "lucide-react";
import type { ReactNode } from "react";

import { NAVIGATION_GROUPS, type NavigationLink } from "@/components/navigation-links";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";

interface Props {
  /** Shows icons only, with the labels as tooltips. */
  rail?: boolean;
  onFollow?: () => void;
}

/** Links to all pages, in groups. */
export function Navigation({ rail = false, onFollow }: Props) {
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-2">
      {NAVIGATION_GROUPS.map((group) => (
        <div key={group.label}>
          <h2
            className={cn(
              "px-2.5 pb-1 text-xs font-medium text-ink-faint",
              rail && "mx-1 mb-1 h-px overflow-hidden bg-line p-0 text-transparent",
            )}
          >
            {group.label}
          </h2>
          <ul className="grid gap-0.5">
            {group.pages.map((page) => (
              <li key={page.to}>
                <PageItem page={page} rail={rail} onFollow={onFollow} />
              </li>
            ))}
          </ul>
        </div>
      ))}
      <div className="mt-auto">
        <RailTooltip rail={rail} name="API reference">
          <a href="/docs" target="_blank" rel="noreferrer" className={itemStyles(rail)}>
            <BookOpenText aria-hidden />
            <span className={rail ? "sr-only" : "flex-1"}>
              API reference <span className="sr-only">(opens a new tab)</span>
            </span>
            {!rail && <ExternalLink aria-hidden className="size-3.5! text-ink-faint" />}
          </a>
        </RailTooltip>
      </div>
    </div>
  );
}

function PageItem({
  page: { to, label, Icon },
  rail,
  onFollow,
}: {
  page: NavigationLink;
  rail: boolean;
  onFollow?: () => void;
}) {
  return (
    <RailTooltip rail={rail} name={label}>
      <Link
        to={to}
        activeOptions={{ exact: to === "/", includeSearch: false }}
        onClick={onFollow}
        className={cn(
          itemStyles(rail),
          "aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent",
        )}
      >
        <Icon aria-hidden />
        <span className={cn(rail && "sr-only")}>{label}</span>
      </Link>
    </RailTooltip>
  );
}

function RailTooltip({
  rail,
  name,
  children,
}: {
  rail: boolean;
  name: string;
  children: ReactNode;
}) {
  return rail ? <Tooltip text={name}>{children}</Tooltip> : children;
}

function itemStyles(rail: boolean): string {
  return cn(
    "flex h-8 items-center gap-2.5 rounded-md px-2.5 text-ink-soft hover:bg-hover hover:text-ink focus-visible:-outline-offset-2 max-lg:h-11 [&_svg]:size-4 [&_svg]:shrink-0",
    rail && "justify-center px-0",
  );
}
