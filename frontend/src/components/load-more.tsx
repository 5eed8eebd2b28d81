import { useEffect, useRef } from "react";

import { Button } from "./ui/button";

interface Props {
  onLoad: () => void;
  isLoading: boolean;
  /** The button's label. */
  children: string;
}

/** Loads the next page of a list when it is scrolled into view, or on click. */
export function LoadMore({ onLoad, isLoading, children }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const latest = useRef(onLoad);

  useEffect(() => {
    latest.current = onLoad;
  }, [onLoad]);

  useEffect(() => {
    if (isLoading || !container.current || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && latest.current(),
      { rootMargin: "200px" },
    );
    observer.observe(container.current);
    return () => observer.disconnect();
  }, [isLoading]);

  return (
    <div ref={container} className="grid justify-items-center p-3">
      <Button busy={isLoading} onClick={onLoad}>
        {children}
      </Button>
    </div>
  );
}
