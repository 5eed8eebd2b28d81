import { cn } from "@/lib/cn";

interface Props {
  /** A banner with a line of detail below its title is a little higher than one with buttons alone. */
  detailed?: boolean;
}

/** The place of a banner that is on its way, so that nothing jumps when it comes. */
export function BannerRoom({ detailed = false }: Props) {
  return (
    <div
      aria-hidden
      className={cn(
        "border-b bg-surface max-sm:h-28",
        detailed ? "box-content h-[2lh] py-2.5 max-sm:py-0" : "h-15",
      )}
    />
  );
}
