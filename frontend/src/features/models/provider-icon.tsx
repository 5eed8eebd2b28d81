import { Cpu } from "lucide-react";

import type { ProviderType } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { PROVIDER_KINDS } from "./provider-types";

/** Decorative icon of a provider type. */
export function ProviderIcon({ type, className }: { type: ProviderType; className?: string }) {
  const local = type === "local";
  return (
    <span
      aria-hidden
      className={cn(
        "grid size-9 shrink-0 place-items-center rounded-md border bg-sunken text-[13px] font-semibold text-ink-soft",
        local && "border-transparent bg-accent-soft text-accent",
        className,
      )}
    >
      {local ? <Cpu className="size-4.5" /> : PROVIDER_KINDS[type].initials}
    </span>
  );
}
