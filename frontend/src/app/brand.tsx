import { Link } from "@tanstack/react-router";

import { cn } from "@/lib/cn";

/** Logo that links to the dashboard. */
export function Brand({ rail = false, onFollow }: { rail?: boolean; onFollow?: () => void }) {
  return (
    <Link
      to="/"
      activeOptions={{ exact: true }}
      onClick={onFollow}
      className={cn("flex items-center gap-2.5 rounded-md px-2 py-1", rail && "px-0")}
    >
      <img src="/favicon.svg" alt="" width={24} height={24} className="shrink-0" />
      <span className={rail ? "sr-only" : "font-semibold tracking-tight whitespace-nowrap"}>
        CrewAI Runner
      </span>
    </Link>
  );
}
