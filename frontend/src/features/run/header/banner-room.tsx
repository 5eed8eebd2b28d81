/** The place of a banner that is on its way, so that nothing jumps when it comes. */
export function BannerRoom() {
  return <div aria-hidden className="h-15 border-b bg-surface max-sm:h-28" />;
}
