import { ChevronRight } from "lucide-react";
import { useState } from "react";

import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run, RunTask } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/format";

import { outputOf, plainText, teaser } from "./parse-output";
import { OutputView, type OutputMode } from "./output-view";
import { newestDone, timeTaken } from "./task-duration";
import { TaskMark, taskWord } from "./task-state-icon";

interface Props {
  run: Run;
  tasks: readonly RunTask[];
  mode: OutputMode;
}

/** What each task brought; without a final result the newest one stands open. */
export function TaskOutputs({ run, tasks, mode }: Props) {
  // What a person has opened or closed stays so; all else follows the run.
  const [chosen, setChosen] = useState<Record<string, boolean>>({});
  const newest = run.result ? undefined : newestDone(tasks);
  return (
    <Card title="Tasks">
      <ul className="divide-y">
        {tasks.map((task) => {
          const open = chosen[task.key] ?? task.key === newest;
          return (
            <TaskOutput
              key={task.key}
              task={task}
              mode={mode}
              open={open}
              onToggle={() => setChosen({ ...chosen, [task.key]: !open })}
            />
          );
        })}
      </ul>
    </Card>
  );
}

interface ItemProps {
  task: RunTask;
  mode: OutputMode;
  open: boolean;
  onToggle: () => void;
}

function TaskOutput({ task, mode, open, onToggle }: ItemProps) {
  if (!task.result) return <TaskWithout task={task} />;
  const output = outputOf(task.result);
  return (
    <li>
      <div className="flex items-center gap-1 pr-2 hover:bg-hover">
        <button
          type="button"
          aria-expanded={open}
          onClick={onToggle}
          className="flex min-h-11 min-w-0 flex-1 items-center gap-2 py-1.5 pl-3 text-left focus-visible:-outline-offset-2"
        >
          <ChevronRight
            aria-hidden
            className={cn("size-4 shrink-0 text-ink-faint", open && "rotate-90")}
          />
          <TaskMark state={task.status} />
          <TaskLine task={task} says={open ? "" : teaser(output.raw, 160)} />
        </button>
        <CopyButton text={() => plainText(output)} label={`Copy the output of ${task.key}`} />
      </div>
      {open && (
        <OutputView
          output={output}
          mode={mode}
          level={3}
          className="border-t border-dashed px-4 py-3 sm:pl-9"
        />
      )}
    </li>
  );
}

function TaskWithout({ task }: { task: RunTask }) {
  return (
    <li className="flex min-h-11 items-center gap-2 py-1.5 pr-4 pl-9">
      <TaskMark state={task.status} />
      <TaskLine
        task={task}
        says={task.error?.message ?? taskWord(task.status)}
        failed={task.error !== null}
      />
    </li>
  );
}

/** Name, agent, the first words, the time it took. */
function TaskLine({ task, says, failed }: { task: RunTask; says: string; failed?: boolean }) {
  const took = timeTaken(task);
  return (
    <span className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
      <span className="font-medium">{task.key}</span>
      {task.agent && <span className="text-xs text-ink-soft">{task.agent}</span>}
      <span
        className={cn(
          "min-w-0 flex-1 basis-40 truncate text-xs",
          failed ? "text-err" : "text-ink-faint",
        )}
      >
        {says}
      </span>
      {took !== null && <span className="text-xs text-ink-soft">{formatDuration(took)}</span>}
    </span>
  );
}
