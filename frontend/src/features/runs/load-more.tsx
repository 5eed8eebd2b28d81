import { useEffect, useRef } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";

interface Props {
  more: boolean;
  busy: boolean;
  error: unknown;
  onLoad: () => void;
}

/** Loads the next page when it comes into sight, or when asked. */
export function LoadMore({ more, busy, error, onLoad }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const idle = more && !busy && !error;
  const latest = useRef(onLoad);
  useEffect(() => {
    latest.current = onLoad;
  }, [onLoad]);

  useEffect(() => {
    if (!idle || !place.current || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) latest.current();
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [idle]);

  if (error) return <ErrorPanel error={error} onRetry={onLoad} />;
  if (!more) return null;
  return (
    <div ref={place} className="grid justify-center">
      <Button busy={busy} onClick={onLoad}>
        Load more
      </Button>
    </div>
  );
}
