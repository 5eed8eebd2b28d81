import { useEffect, useMemo } from "react";

import { useNow } from "@/hooks/use-now";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { useRunStore } from "./use-span";
import type { RunStore } from "./run-store";
import { attach, storeOf } from "./run-store-cache";

/** The store of a run, told of everything for as long as the page shows it. */
export function useLiveRun(run: Run): RunStore {
  const { id } = run;
  const over = hasEnded(run.status);
  // oxlint-disable-next-line react/exhaustive-deps -- the run is read anew only when it begins or ends
  const store = useMemo(() => storeOf(run), [id]);
  // oxlint-disable-next-line react/exhaustive-deps -- as above: each answer of the API is a new object
  useEffect(() => attach(run), [id, over]);
  return store;
}

/** The server's time, renewed each second while the run is under way; its end once it is over. */
export function useServerNow(store: RunStore): number {
  const skew = useRunStore(store, (now) => now.skew);
  return useNow(1000) + skew;
}
