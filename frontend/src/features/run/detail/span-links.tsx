import { Link } from "@tanstack/react-router";
import { GitBranch, SquarePen } from "lucide-react";

import { Button } from "@/components/ui/button";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { useForkRun } from "../header/run-mutations";
import type { Span } from "../store/span";

/** Where to go from a step: to its place in the workflow, or back to it in a new run. */
export function SpanLinks({ run, span }: { run: Run; span: Span }) {
  const fork = useForkRun(run);
  const node = nodeOf(run, span);
  const rerun = hasEnded(run.status) && span.taskKey !== null && isTask(run, span.taskKey);
  if (!(run.workflowId && node) && !rerun) return null;
  return (
    <footer className="flex shrink-0 flex-wrap gap-2 border-t px-3 py-2">
      {run.workflowId && node && (
        <Button asChild size="sm">
          <Link
            to="/workflows/$workflowId"
            params={{ workflowId: run.workflowId }}
            search={{ node: node.address }}
          >
            <SquarePen aria-hidden />
            Open in editor: {node.words}
          </Link>
        </Button>
      )}
      {rerun && span.taskKey !== null && (
        <Button
          size="sm"
          busy={fork.isPending}
          onClick={() => fork.mutate({ fromTask: span.taskKey ?? "" })}
        >
          <GitBranch aria-hidden />
          Re-run from {span.taskKey}
        </Button>
      )}
    </footer>
  );
}

function isTask(run: Run, key: string): boolean {
  return run.definition.tasks.some((task) => task.key === key);
}

function nodeOf(run: Run, span: Span): { address: string; words: string } | null {
  const agent =
    span.kind === "agent" && run.definition.agents.some(({ key }) => key === span.agent);
  if (agent) return { address: `agent:${span.agent}`, words: `agents.${span.agent}` };
  if (span.taskKey === null || !isTask(run, span.taskKey)) return null;
  return { address: `task:${span.taskKey}`, words: `tasks.${span.taskKey}` };
}
