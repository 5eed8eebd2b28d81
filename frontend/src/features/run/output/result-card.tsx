import { ChevronDown, Download, Hourglass, PackageOpen } from "lucide-react";
import type { ReactNode } from "react";

import { EmptyState } from "@/components/empty-state";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Menu, MenuItem } from "@/components/ui/menu";
import type { Run, RunTask } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";
import { downloadFile } from "@/lib/download-file";

import { exportFileName, outputsToJson, outputsToMarkdown } from "./export-outputs";
import { OutputView, type OutputMode } from "./output-view";
import { outputToText, parseOutput } from "./parse-output";

interface Props {
  run: Run;
  tasks: readonly RunTask[];
  mode: OutputMode;
  modeSwitch: ReactNode;
}

/** The final result of the run, or why there is none. */
export function ResultCard({ run, tasks, mode, modeSwitch }: Props) {
  const { result } = run;
  const hasOutput = Boolean(result) || tasks.some((task) => task.result);
  return (
    <Card
      title="Result"
      actions={
        hasOutput && (
          <div className="flex flex-wrap items-center gap-1">
            {modeSwitch}
            {result && (
              <CopyButton text={() => outputToText(parseOutput(result))} label="Copy result" />
            )}
            <DownloadOutputsMenu run={run} tasks={tasks} />
          </div>
        )
      }
    >
      {result ? (
        <OutputView output={parseOutput(result)} mode={mode} level={3} className="p-4" />
      ) : (
        <NoResult run={run} hasTaskOutputs={hasOutput} />
      )}
    </Card>
  );
}

function DownloadOutputsMenu({ run, tasks }: { run: Run; tasks: readonly RunTask[] }) {
  const save = (extension: string, type: string, text: string) =>
    downloadFile(exportFileName(run, extension), new Blob([text], { type }));
  return (
    <Menu
      trigger={
        <Button size="sm">
          <Download aria-hidden />
          Download
          <ChevronDown aria-hidden />
        </Button>
      }
    >
      <MenuItem onSelect={() => save("md", "text/markdown", outputsToMarkdown(run, tasks))}>
        Markdown (all outputs)
      </MenuItem>
      <MenuItem onSelect={() => save("json", "application/json", outputsToJson(run, tasks))}>
        JSON (inputs and outputs)
      </MenuItem>
    </Menu>
  );
}

function NoResult({ run, hasTaskOutputs }: { run: Run; hasTaskOutputs: boolean }) {
  if (!hasEnded(run.status)) {
    return (
      <EmptyState icon={Hourglass} title="The result appears here when the run completes">
        Task outputs appear below as tasks finish.
      </EmptyState>
    );
  }
  const verb = run.status === "stopped" ? "was stopped" : "failed";
  return (
    <EmptyState icon={PackageOpen} title="No result">
      The run {verb} before its last task finished.
      {hasTaskOutputs && " The outputs of finished tasks are shown below."}
    </EmptyState>
  );
}
