import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { useRunStore } from "../store/use-span";
import type { RunStore } from "../store/run-store";

import { AgainMenu, DownloadMenu } from "./rerun-menu";
import { StopButton } from "./stop-run-menu";

/** What can be done with the run as it stands. Comes after the page: menus and dialogs are heavy. */
export function RunActions({ run, store }: { run: Run; store: RunStore }) {
  const status = useRunStore(store, (now) => now.status);
  return (
    <>
      <DownloadMenu run={run} />
      {hasEnded(status) ? <AgainMenu run={run} /> : <StopButton run={run} store={store} />}
    </>
  );
}
