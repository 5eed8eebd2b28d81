import { useEffect, useRef } from "react";

import { Button } from "./ui/button";

interface Props {
  onLoad: () => void;
  busy: boolean;
  /** The button's words. */
  children: string;
}

/** The end of a list that goes on: loads the rest when it comes into sight, or when it is pressed. */
export function LoadMore({ onLoad, busy, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const load = useRef(onLoad);

  useEffect(() => {
    load.current = onLoad;
  }, [onLoad]);

  useEffect(() => {
    if (busy || !place.current || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && load.current(),
      { rootMargin: "200px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [busy]);

  return (
    <div ref={place} className="grid justify-items-center p-3">
      <Button busy={busy} onClick={onLoad}>
        {children}
      </Button>
    </div>
  );
}
