import { useStore } from "zustand";

import { Allowed } from "@/components/allowed";
import { hasEnded } from "@/lib/run-state";

import type { RunProps } from "../run-props";
import { ShareButton } from "../sharing/share-button";

import { DownloadRunMenu } from "./download-run-menu";
import { RerunMenu } from "./rerun-menu";
import { StopRunMenu } from "./stop-run-menu";

/** The actions for the run's current status; a run elsewhere cannot be controlled. Loaded lazily, because menus and dialogs are large. */
export function RunActions({ run, store }: RunProps) {
  const status = useStore(store.state, (state) => state.status);
  return (
    <>
      <ShareButton run={run} />
      <DownloadRunMenu run={run} />
      {!run.external && hasEnded(status) && <RerunMenu run={run} />}
      {!run.external && !hasEnded(status) && (
        <Allowed scope="runs:write">
          <StopRunMenu run={run} store={store} />
        </Allowed>
      )}
    </>
  );
}
