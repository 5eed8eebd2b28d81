import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Run } from "@/lib/api/types";

import { useForkRun } from "./run-mutations";

/** Asks from which task a new run should begin; what was done before it is taken over. */
export function ForkDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const fork = useForkRun(run);
  const { tasks } = run.definition;
  const [from, setFrom] = useState(tasks[0]?.key ?? "");
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Re-run from a step"
      description="A new run takes over what was done before this step and does the rest again."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            busy={fork.isPending}
            onClick={() => fork.mutate({ fromTask: from })}
          >
            Run from {from}
          </Button>
        </>
      }
    >
      <fieldset className="grid gap-1">
        <legend className="mb-1 font-medium">Begin with</legend>
        {tasks.map((task) => (
          <label
            key={task.key}
            className="flex min-h-9 cursor-pointer items-center gap-2 rounded-md border px-3 has-checked:border-accent has-checked:bg-accent-soft"
          >
            <input
              type="radio"
              name="from"
              className="accent-accent"
              checked={from === task.key}
              onChange={() => setFrom(task.key)}
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
