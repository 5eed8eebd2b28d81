import { ChevronDown, CircleStop, Square } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Menu, MenuItem } from "@/components/ui/menu";
import { useShortcut } from "@/hooks/use-shortcut";
import type { Run } from "@/lib/api/types";

import { useRunStore } from "../store/use-span";
import type { RunStore } from "../store/run-store";

import { useStopRun, type StopMode } from "./run-mutations";

/** Both ways to stop a run. Says "Stopping…" until the run itself tells that it has stopped. */
export function StopButton({ run, store }: { run: Run; store: RunStore }) {
  const stop = useStopRun(run);
  const status = useRunStore(store, (now) => now.status);
  const told = useRunStore(store, (now) => now.stopping);
  const [asking, setAsking] = useState(false);
  const stopping = stop.isPending || status === "stopping";
  const mode = told ?? (stop.isPending ? stop.variables : null);
  useShortcut(".", () => setAsking(true), { description: "Stop the run (asks)", group: "Run" });

  const choose = (chosen: StopMode) => {
    setAsking(false);
    stop.mutate(chosen);
  };

  return (
    <>
      <div className="flex">
        <Button
          variant="danger"
          className="rounded-r-none border-r-0"
          busy={stopping}
          onClick={() => choose("after-step")}
        >
          {!stopping && <Square aria-hidden />}
          {stopping ? "Stopping…" : "Stop"}
        </Button>
        <Menu
          trigger={
            <Button
              variant="danger"
              size="icon"
              className="rounded-l-none"
              disabled={stopping && mode === "now"}
            >
              <ChevronDown aria-hidden />
              <span className="sr-only">Ways to stop</span>
            </Button>
          }
        >
          <MenuItem disabled={stopping} onSelect={() => choose("after-step")}>
            <Square aria-hidden />
            Stop after the current step
          </MenuItem>
          <MenuItem danger onSelect={() => choose("now")}>
            <CircleStop aria-hidden />
            Stop now
          </MenuItem>
        </Menu>
      </div>
      <Dialog
        open={asking}
        onOpenChange={setAsking}
        title="Stop this run?"
        description="What is done is kept, and the run can be resumed from its last finished task."
        footer={
          <>
            <Button onClick={() => setAsking(false)}>Keep running</Button>
            <Button onClick={() => choose("after-step")}>After the current step</Button>
            <Button variant="danger" onClick={() => choose("now")}>
              Stop now
            </Button>
          </>
        }
      >
        <p className="text-ink-soft">
          “Stop now” cuts off the model call at hand. “After the current step” lets it end first.
        </p>
      </Dialog>
    </>
  );
}
