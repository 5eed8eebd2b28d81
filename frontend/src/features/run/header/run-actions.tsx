import { useStore } from "zustand";

import { hasEnded } from "@/lib/run-state";

import type { RunProps } from "../run-props";

import { DownloadRunMenu } from "./download-run-menu";
import { RerunMenu } from "./rerun-menu";
import { StopRunMenu } from "./stop-run-menu";

/** The actions for the run's current status. Loaded lazily, because menus and dialogs are large. */
export function RunActions({ run, store }: RunProps) {
  const status = useStore(store.state, (state) => state.status);
  return (
    <>
      <DownloadRunMenu run={run} />
      {hasEnded(status) ? <RerunMenu run={run} /> : <StopRunMenu run={run} store={store} />}
    </>
  );
}
