import { useSyncExternalStore } from "react";

/** The time in milliseconds, renewed every `interval`; pages that show the same clock agree. */
export function useNow(interval: number): number {
  return useSyncExternalStore(
    (tell) => {
      const timer = setInterval(tell, interval);
      return () => clearInterval(timer);
    },
    () => Math.floor(Date.now() / interval) * interval,
  );
}
