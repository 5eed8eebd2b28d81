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

import { fileName, jsonOf, markdownOf, outputOf, plainText } from "./parse-output";
import { OutputView, type OutputMode } from "./output-view";

interface Props {
  run: Run;
  tasks: readonly RunTask[];
  mode: OutputMode;
  modeSwitch: ReactNode;
}

/** The final result, or the words for why there is none. */
export function ResultCard({ run, tasks, mode, modeSwitch }: Props) {
  const anything = run.result ?? tasks.some((task) => task.result);
  return (
    <Card
      title="Result"
      actions={
        anything && (
          <div className="flex flex-wrap items-center gap-1">
            {modeSwitch}
            {run.result && <CopyResult result={run.result} />}
            <DownloadMenu run={run} tasks={tasks} />
          </div>
        )
      }
    >
      {run.result ? (
        <OutputView output={outputOf(run.result)} mode={mode} level={3} className="p-4" />
      ) : (
        <NoResult run={run} some={Boolean(anything)} />
      )}
    </Card>
  );
}

function CopyResult({ result }: { result: NonNullable<Run["result"]> }) {
  return <CopyButton text={() => plainText(outputOf(result))} label="Copy the result" />;
}

function DownloadMenu({ run, tasks }: { run: Run; tasks: readonly RunTask[] }) {
  const save = (ending: string, type: string, text: string) =>
    downloadFile(fileName(run, ending), new Blob([text], { type }));
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
      <MenuItem onSelect={() => save("md", "text/markdown", markdownOf(run, tasks))}>
        Markdown, all outputs
      </MenuItem>
      <MenuItem onSelect={() => save("json", "application/json", jsonOf(run, tasks))}>
        JSON, all outputs and inputs
      </MenuItem>
    </Menu>
  );
}

function NoResult({ run, some }: { run: Run; some: boolean }) {
  const below = some ? " What its tasks brought is below." : "";
  if (!hasEnded(run.status)) {
    return (
      <EmptyState icon={Hourglass} title="The result will be here when the run completes">
        Outputs of tasks appear below as each of them finishes.
      </EmptyState>
    );
  }
  const verb = run.status === "stopped" ? "was stopped" : "failed";
  return (
    <EmptyState icon={PackageOpen} title="There is no result">
      The run {verb} before its last task was done.{below}
    </EmptyState>
  );
}
