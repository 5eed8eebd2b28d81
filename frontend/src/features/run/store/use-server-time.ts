import { useStore } from "zustand";

import { useNow } from "@/hooks/use-now";

import type { RunStore } from "./run-store";

/** The server's clock in milliseconds, updated every second. */
export function useServerTime(store: RunStore): number {
  const clockOffset = useStore(store.state, (state) => state.clockOffset);
  return useNow(1000) + clockOffset;
}
