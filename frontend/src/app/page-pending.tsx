import { SkeletonRows } from "@/components/ui/skeleton";

/** A page whose code is still on its way. */
export function PagePending() {
  return <SkeletonRows rows={8} className="mx-auto w-full max-w-6xl p-6" />;
}
