import { SkeletonRows } from "@/components/ui/skeleton";

/** Placeholder while a page's code is loading. */
export function PagePending() {
  return <SkeletonRows rows={8} className="mx-auto w-full max-w-6xl p-6" />;
}
