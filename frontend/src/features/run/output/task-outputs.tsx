import { ChevronRight } from "lucide-react";
import { useState } from "react";

import { TASK_STATE_STYLES } from "@/components/lane-graph/task-state-styles";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run, RunTask } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatDuration } from "@/lib/format";

import { OutputView, type OutputMode } from "./output-view";
import { outputToText, parseOutput, previewMarkdown } from "./parse-output";
import { newestOutputTask, taskDuration } from "./task-duration";
import { TaskStateIcon } from "./task-state-icon";

interface Props {
  run: Run;
  tasks: readonly RunTask[];
  mode: OutputMode;
}

/** The output of each task. While there is no final result, the newest output is expanded. */
export function TaskOutputs({ run, tasks, mode }: Props) {
  // Tasks the user has expanded or collapsed; all others follow the run.
  const [toggled, setToggled] = useState<Record<string, boolean>>({});
  const newest = run.result ? undefined : newestOutputTask(tasks);
  return (
    <Card title="Tasks">
      <ul className="divide-y">
        {tasks.map((task) => {
          const isOpen = toggled[task.key] ?? task.key === newest;
          return (
            <TaskOutput
              key={task.key}
              task={task}
              mode={mode}
              isOpen={isOpen}
              onToggle={() => setToggled({ ...toggled, [task.key]: !isOpen })}
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
  isOpen: boolean;
  onToggle: () => void;
}

function TaskOutput({ task, mode, isOpen, onToggle }: ItemProps) {
  if (!task.result) return <TaskWithoutOutput task={task} />;
  const output = parseOutput(task.result);
  return (
    <li>
      <div className="flex items-center gap-1 pr-2 hover:bg-hover">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={onToggle}
          className="flex min-h-11 min-w-0 flex-1 items-center gap-2 py-1.5 pl-3 text-left focus-visible:-outline-offset-2"
        >
          <ChevronRight
            aria-hidden
            className={cn("size-4 shrink-0 text-ink-faint", isOpen && "rotate-90")}
          />
          <TaskStateIcon state={task.status} />
          <TaskLine task={task} text={isOpen ? "" : previewMarkdown(output.raw, 160)} />
        </button>
        <CopyButton text={() => outputToText(output)} label={`Copy output of ${task.key}`} />
      </div>
      {isOpen && (
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

function TaskWithoutOutput({ task }: { task: RunTask }) {
  return (
    <li className="flex min-h-11 items-center gap-2 py-1.5 pr-4 pl-9">
      <TaskStateIcon state={task.status} />
      <TaskLine
        task={task}
        text={task.error?.message ?? TASK_STATE_STYLES[task.status].label}
        isError={task.error !== null}
      />
    </li>
  );
}

interface TaskLineProps {
  task: RunTask;
  text: string;
  isError?: boolean;
}

function TaskLine({ task, text, isError }: TaskLineProps) {
  const milliseconds = taskDuration(task);
  return (
    <span className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
      <span className="font-medium">{task.key}</span>
      {task.agent && <span className="text-xs text-ink-soft">{task.agent}</span>}
      <span
        className={cn(
          "min-w-0 flex-1 basis-40 truncate text-xs",
          isError ? "text-err" : "text-ink-faint",
        )}
      >
        {text}
      </span>
      {milliseconds !== null && (
        <span className="text-xs text-ink-soft">{formatDuration(milliseconds)}</span>
      )}
    </span>
  );
}
