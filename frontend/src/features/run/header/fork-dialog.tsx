import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Run } from "@/lib/api/types";

import { useForkRun } from "./run-mutations";

/** Starts a new run from a chosen task, reusing the results of earlier tasks. */
export function ForkDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const fork = useForkRun(run);
  const { tasks } = run.definition;
  const [fromTask, setFromTask] = useState(tasks[0]?.key ?? "");
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Re-run from a step"
      description="Starts a new run that reuses the results of earlier steps and runs the rest again."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={fork.isPending} onClick={() => fork.mutate({ fromTask })}>
            Run from {fromTask}
          </Button>
        </>
      }
    >
      <fieldset className="grid gap-1">
        <legend className="mb-1 font-medium">Start from</legend>
        {tasks.map((task) => (
          <label
            key={task.key}
            className="flex min-h-9 cursor-pointer items-center gap-2 rounded-md border px-3 has-checked:border-accent has-checked:bg-accent-soft"
          >
            <input
              type="radio"
              name="from"
              className="accent-accent"
              checked={fromTask === task.key}
              onChange={() => setFromTask(task.key)}
            />
            <span className="font-medium">{task.key}</span>
            <span className="min-w-0 truncate text-ink-faint">{task.agent}</span>
          </label>
        ))}
      </fieldset>
      {fork.error && <ErrorPanel error={fork.error} className="mt-3" />}
    </Dialog>
  );
}
