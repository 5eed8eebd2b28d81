import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface Props {
  icon: LucideIcon;
  title: ReactNode;
  /** One line: what the list contains, or why it is empty. */
  children?: ReactNode;
  /** One primary action and at most one secondary link. */
  actions?: ReactNode;
}

/** Placeholder for an empty list or page. */
export function EmptyState({ icon: Icon, title, children, actions }: Props) {
  return (
    <div className="grid justify-items-center gap-2 px-6 py-12 text-center">
      <Icon aria-hidden className="size-8 text-ink-faint" />
      <p className="text-base font-semibold">{title}</p>
      {children && <p className="max-w-md text-ink-soft">{children}</p>}
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
