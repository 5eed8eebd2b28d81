import { useEffect, useState } from "react";

import { lazyComponent } from "@/components/lazy-component";

const Background = lazyComponent(async () => (await import("./background")).Background);
const LATEST_MS = 2_000;

/** Fetches what no page needs at once when the browser has nothing better to do. */
export function WhenIdle() {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    if (!("requestIdleCallback" in window)) {
      const timer = setTimeout(() => setIdle(true), LATEST_MS);
      return () => clearTimeout(timer);
    }
    const wish = requestIdleCallback(() => setIdle(true), { timeout: LATEST_MS });
    return () => cancelIdleCallback(wish);
  }, []);
  return idle ? <Background /> : null;
}
