import { cn } from "@/lib/cn";

interface Props {
  /** Reserves the height of a banner with a line of detail. */
  hasDetail?: boolean;
}

/** Reserves the space of a banner that is loading, to avoid a layout shift. */
export function BannerPlaceholder({ hasDetail = false }: Props) {
  return (
    <div
      aria-hidden
      className={cn(
        "border-b bg-surface max-sm:h-28",
        hasDetail ? "box-content h-[2lh] py-2.5 max-sm:py-0" : "h-15",
      )}
    />
  );
}
