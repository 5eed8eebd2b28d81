import { Link } from "@tanstack/react-router";
import { ChevronDown, GitBranch, GitCompareArrows, Play, RotateCcw, SquarePen } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { Run } from "@/lib/api/types";
import { isResumable } from "@/lib/run-state";

import { ForkDialog } from "./fork-dialog";
import { useResumeRun, useRetryRun } from "./run-mutations";
import { useAdjacentRuns } from "./use-adjacent-runs";

/** Ways to repeat or continue a run that has ended; only the comparison for those who only read. */
export function RerunMenu({ run }: { run: Run }) {
  return (
    <Allowed scope="runs:write" otherwise={<CompareLink run={run} />}>
      <RerunActions run={run} />
    </Allowed>
  );
}

function CompareLink({ run }: { run: Run }) {
  const { older } = useAdjacentRuns(run);
  if (!older) return null;
  return (
    <Button asChild>
      <Link to="/runs/compare" search={{ a: older, b: run.id }}>
        <GitCompareArrows aria-hidden />
        Compare with previous run
      </Link>
    </Button>
  );
}

function RerunActions({ run }: { run: Run }) {
  const retry = useRetryRun(run);
  const resume = useResumeRun(run);
  const { older } = useAdjacentRuns(run);
  const [isForkDialogOpen, setForkDialogOpen] = useState(false);

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
              <span className="sr-only">More run options</span>
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
          {run.projectId ? (
            <MenuItem asChild>
              <Link
                to="/projects/$projectId/run"
                params={{ projectId: run.projectId }}
                search={{ from: run.id }}
              >
                <SquarePen aria-hidden />
                Edit inputs…
              </Link>
            </MenuItem>
          ) : (
            <MenuItem onSelect={() => setForkDialogOpen(true)}>
              <GitBranch aria-hidden />
              Re-run from a step…
            </MenuItem>
          )}
          {older && (
            <>
              <MenuSeparator />
              <MenuItem asChild>
                <Link to="/runs/compare" search={{ a: older, b: run.id }}>
                  <GitCompareArrows aria-hidden />
                  Compare with previous run
                </Link>
              </MenuItem>
            </>
          )}
        </Menu>
      </div>
      {isForkDialogOpen && <ForkDialog run={run} onClose={() => setForkDialogOpen(false)} />}
    </>
  );
}
