import { useEffect, useState } from "react";

import { runStateWord } from "@/components/run-status";

import type { RunNow, RunStore } from "../store/run-store";

const PAUSE_MS = 2_000;

/** Tells a screen reader how the run and its tasks move on, at most once each two seconds. */
export function Announcer({ store }: { store: RunStore }) {
  const [words, setWords] = useState("");
  useEffect(() => {
    let seen = store.getNow();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      timer = undefined;
      const now = store.getNow();
      const news = newsBetween(seen, now);
      seen = now;
      if (news) setWords(news);
    };
    const stop = store.subscribe(() => {
      // The story of what was before is not news.
      if (!store.getNow().complete) seen = store.getNow();
      else timer ??= setTimeout(tell, PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store]);
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  );
}

/** Only the newest task's move and the run's own. */
export function newsBetween(
  before: Pick<RunNow, "status" | "tasks">,
  now: Pick<RunNow, "status" | "tasks">,
): string {
  const moved = [...now.tasks.values()].findLast(
    (task) => before.tasks.get(task.key)?.state !== task.state && task.state !== "pending",
  );
  const parts = [
    moved && `Task ${moved.key}: ${moved.state}.`,
    now.status !== before.status && `Run ${runStateWord(now.status).toLowerCase()}.`,
  ];
  return parts.filter(Boolean).join(" ");
}
