import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { SkeletonRows } from "@/components/ui/skeleton";
import { runTasksQuery } from "@/lib/queries/runs";

import type { RunProps } from "../run-props";

import { ArtifactList } from "./artifact-list";
import { OutputModeSwitch, type OutputMode } from "./output-view";
import { ResultCard } from "./result-card";
import { TaskOutputs } from "./task-outputs";

/** The result of the run, the output of each task, and the files. */
export function OutputTab({ run }: RunProps) {
  const [mode, setMode] = useState<OutputMode>("formatted");
  const tasks = useQuery(runTasksQuery(run.id));
  return (
    <div className="mx-auto grid w-full max-w-4xl content-start gap-4 p-4 sm:p-6">
      <ResultCard
        run={run}
        tasks={tasks.data ?? []}
        mode={mode}
        modeSwitch={<OutputModeSwitch mode={mode} onChange={setMode} />}
      />
      {tasks.isPending && <SkeletonRows rows={3} className="p-0" />}
      {tasks.isError && <ErrorPanel error={tasks.error} onRetry={() => void tasks.refetch()} />}
      {tasks.data && <TaskOutputs run={run} tasks={tasks.data} mode={mode} />}
      <ArtifactList run={run} />
    </div>
  );
}
