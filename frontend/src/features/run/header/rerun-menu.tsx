import { Link } from "@tanstack/react-router";
import {
  ChevronDown,
  Download,
  FileJson,
  FileText,
  GitBranch,
  GitCompareArrows,
  Play,
  RotateCcw,
  SquarePen,
} from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { Run } from "@/lib/api/types";
import { isResumable } from "@/lib/run-state";
import { toast } from "@/lib/toast";

import { ForkDialog } from "./fork-dialog";
import { useNeighbours } from "./use-adjacent-runs";
import { useResumeRun, useRetryRun } from "./run-mutations";

/** What can be done with a run that is over. */
export function AgainMenu({ run }: { run: Run }) {
  const retry = useRetryRun(run);
  const resume = useResumeRun(run);
  const { older } = useNeighbours(run);
  const [forking, setForking] = useState(false);

  return (
    <>
      {isResumable(run.status) && (
        <Button busy={resume.isPending} onClick={() => resume.mutate()}>
          {!resume.isPending && <Play aria-hidden />}
          Resume
        </Button>
      )}
      <div className="flex">
        <Button
          variant="primary"
          className="rounded-r-none"
          busy={retry.isPending}
          onClick={() => retry.mutate()}
        >
          {!retry.isPending && <RotateCcw aria-hidden />}
          Run again
        </Button>
        <Menu
          trigger={
            <Button
              variant="primary"
              size="icon"
              className="rounded-l-none border-l border-l-accent-ink/30"
            >
              <ChevronDown aria-hidden />
              <span className="sr-only">More ways to run again</span>
            </Button>
          }
        >
          {run.workflowId && (
            <MenuItem asChild>
              <Link
                to="/workflows/$workflowId/run"
                params={{ workflowId: run.workflowId }}
                search={{ from: run.id }}
              >
                <SquarePen aria-hidden />
                Edit inputs…
              </Link>
            </MenuItem>
          )}
          <MenuItem onSelect={() => setForking(true)}>
            <GitBranch aria-hidden />
            Re-run from a step…
          </MenuItem>
          {older && (
            <>
              <MenuSeparator />
              <MenuItem asChild>
                <Link to="/runs/compare" search={{ a: older, b: run.id }}>
                  <GitCompareArrows aria-hidden />
                  Compare with the previous run
                </Link>
              </MenuItem>
            </>
          )}
        </Menu>
      </div>
      {forking && <ForkDialog run={run} onClose={() => setForking(false)} />}
    </>
  );
}

/** The run as a file. */
export function DownloadMenu({ run }: { run: Run }) {
  const save = async (kind: "json" | "markdown") => {
    try {
      const { saveRun } = await import("./export-run");
      await saveRun(run, kind);
    } catch (error) {
      toast.error(error instanceof Error ? error.message : "The file could not be made");
    }
  };
  return (
    <Menu
      trigger={
        <Button size="icon">
          <Download aria-hidden />
          <span className="sr-only">Download</span>
        </Button>
      }
    >
      <MenuItem onSelect={() => void save("json")}>
        <FileJson aria-hidden />
        JSON: the run, its tasks and figures
      </MenuItem>
      <MenuItem onSelect={() => void save("markdown")}>
        <FileText aria-hidden />
        Markdown: inputs and outputs
      </MenuItem>
    </Menu>
  );
}
