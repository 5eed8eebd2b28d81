import { Skeleton } from "@/components/ui/skeleton";

/** Placeholder for the form that starts a run. */
export function LaunchSkeleton() {
  return (
    <div role="status" className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <span className="sr-only">Loading…</span>
      <Skeleton className="h-72" />
      <Skeleton className="h-40" />
    </div>
  );
}
