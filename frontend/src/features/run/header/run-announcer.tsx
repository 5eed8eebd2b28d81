import { useEffect, useState } from "react";

import { runStateLabel } from "@/components/run-status";

import type { RunStore, RunStoreState } from "../store/run-store";

const INTERVAL_MS = 2_000;

/** Announces changes of the run and its tasks to screen readers, at most every two seconds. */
export function RunAnnouncer({ store }: { store: RunStore }) {
  const [message, setMessage] = useState("");
  useEffect(() => {
    let announced = store.state.getState();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const announce = () => {
      timer = undefined;
      const state = store.state.getState();
      const change = describeChange(announced, state);
      announced = state;
      if (change) setMessage(change);
    };
    const unsubscribe = store.state.subscribe((state) => {
      // Events from before the page was opened are not announced.
      if (!state.isComplete) announced = state;
      else timer ??= setTimeout(announce, INTERVAL_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [store]);
  return (
    <p role="status" className="sr-only">
      {message}
    </p>
  );
}

/** Describes the last task that changed and the run's own change; empty if nothing changed. */
export function describeChange(
  before: Pick<RunStoreState, "status" | "tasks">,
  after: Pick<RunStoreState, "status" | "tasks">,
): string {
  const changedTask = [...after.tasks.values()].findLast(
    (task) => before.tasks.get(task.key)?.state !== task.state && task.state !== "pending",
  );
  const sentences = [
    changedTask && `Task ${changedTask.key}: ${changedTask.state}.`,
    after.status !== before.status && `Run ${runStateLabel(after.status).toLowerCase()}.`,
  ];
  return sentences.filter(Boolean).join(" ");
}
