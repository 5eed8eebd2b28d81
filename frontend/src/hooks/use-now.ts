import { useSyncExternalStore } from "react";

/** The current time in milliseconds, rounded down to `interval` and updated every `interval`. */
export function useNow(interval: number): number {
  return useSyncExternalStore(
    (onChange) => {
      const timer = setInterval(onChange, interval);
      return () => clearInterval(timer);
    },
    () => Math.floor(Date.now() / interval) * interval,
  );
}
