import { useEffect, useMemo } from "react";

import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import type { RunStore } from "./run-store";
import { connectRunStore, getRunStore } from "./run-store-cache";

/** The store of a run, connected to its events while the component is mounted. */
export function useLiveRunStore(run: Run): RunStore {
  const { id } = run;
  const isOver = hasEnded(run.status);
  // oxlint-disable-next-line react/exhaustive-deps -- every API response is a new object of the same run
  const store = useMemo(() => getRunStore(run), [id]);
  // oxlint-disable-next-line react/exhaustive-deps -- reconnect only when the run starts or ends
  useEffect(() => connectRunStore(run), [id, isOver]);
  return store;
}
