import { ChevronDown, CircleStop, Square } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Menu, MenuItem } from "@/components/ui/menu";
import { useShortcut } from "@/hooks/use-shortcut";

import type { RunProps } from "../run-props";

import { useStopRun, type StopMode } from "./run-mutations";

/**
 * Stops the run now or after the current step. Shows "Stopping…" until the run reports that it has
 * stopped.
 */
export function StopRunMenu({ run, store }: RunProps) {
  const stop = useStopRun(run);
  const status = useStore(store.state, (state) => state.status);
  const reportedMode = useStore(store.state, (state) => state.stopMode);
  const [isDialogOpen, setDialogOpen] = useState(false);
  const isStopping = stop.isPending || status === "stopping";
  const mode = reportedMode ?? (stop.isPending ? stop.variables : null);
  useShortcut(".", () => setDialogOpen(true), { description: "Stop run…", group: "Run" });

  const stopRun = (chosenMode: StopMode) => {
    setDialogOpen(false);
    stop.mutate(chosenMode);
  };

  return (
    <>
      <div className="flex">
        <Button
          variant="danger"
          className="rounded-r-none border-r-0"
          busy={isStopping}
          onClick={() => stopRun("after-step")}
        >
          {!isStopping && <Square aria-hidden />}
          {isStopping ? "Stopping…" : "Stop"}
        </Button>
        <Menu
          trigger={
            <Button
              variant="danger"
              size="icon"
              className="rounded-l-none"
              disabled={isStopping && mode === "now"}
            >
              <ChevronDown aria-hidden />
              <span className="sr-only">Stop options</span>
            </Button>
          }
        >
          <MenuItem disabled={isStopping} onSelect={() => stopRun("after-step")}>
            <Square aria-hidden />
            Stop after the current step
          </MenuItem>
          <MenuItem danger onSelect={() => stopRun("now")}>
            <CircleStop aria-hidden />
            Stop now
          </MenuItem>
        </Menu>
      </div>
      <Dialog
        open={isDialogOpen}
        onOpenChange={setDialogOpen}
        title="Stop this run?"
        description="Completed work is kept. You can resume the run from its last finished task."
        footer={
          <>
            <Button onClick={() => setDialogOpen(false)}>Keep running</Button>
            <Button onClick={() => stopRun("after-step")}>After the current step</Button>
            <Button variant="danger" onClick={() => stopRun("now")}>
              Stop now
            </Button>
          </>
        }
      >
        <p className="text-ink-soft">
          “Stop now” cancels the model call in progress. “After the current step” waits for it to
          finish.
        </p>
      </Dialog>
    </>
  );
}
