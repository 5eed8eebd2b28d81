import type { ReactNode } from "react";

/** A keyboard key. */
export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="rounded-sm border border-b-2 bg-sunken px-1.5 font-mono text-[11px] leading-4 text-ink-soft">
      {children}
    </kbd>
  );
}
