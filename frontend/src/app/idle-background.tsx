import { useEffect, useState } from "react";

import { lazyComponent } from "@/components/lazy-component";

const Background = lazyComponent(async () => (await import("./background")).Background);
const TIMEOUT_MS = 2_000;

/** Loads the background features when the browser is idle, or after a timeout. */
export function IdleBackground() {
  const [isIdle, setIsIdle] = useState(false);
  useEffect(() => {
    if (!("requestIdleCallback" in window)) {
      const timer = setTimeout(() => setIsIdle(true), TIMEOUT_MS);
      return () => clearTimeout(timer);
    }
    const handle = requestIdleCallback(() => setIsIdle(true), { timeout: TIMEOUT_MS });
    return () => cancelIdleCallback(handle);
  }, []);
  return isIdle ? <Background /> : null;
}
