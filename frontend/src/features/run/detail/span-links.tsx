import { Link } from "@tanstack/react-router";
import { GitBranch, SquarePen } from "lucide-react";

import { Button } from "@/components/ui/button";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { useForkRun } from "../header/run-mutations";
import type { Span } from "../store/span";

/** Links from a span to the editor and to a new run from its task. */
export function SpanLinks({ run, span }: { run: Run; span: Span }) {
  const fork = useForkRun(run);
  const node = editorNodeOf(run, span);
  // The API refuses to fork a run of a project.
  const canRerun =
    run.projectId === null &&
    hasEnded(run.status) &&
    span.taskKey !== null &&
    isTask(run, span.taskKey);
  if (!(run.workflowId && node) && !canRerun) return null;
  return (
    <footer className="flex shrink-0 flex-wrap gap-2 border-t px-3 py-2">
      {run.workflowId && node && (
        <Button asChild size="sm">
          <Link
            to="/workflows/$workflowId"
            params={{ workflowId: run.workflowId }}
            search={{ node: node.id }}
          >
            <SquarePen aria-hidden />
            Open in editor: {node.label}
          </Link>
        </Button>
      )}
      {canRerun && span.taskKey !== null && (
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

function editorNodeOf(run: Run, span: Span): { id: string; label: string } | null {
  const isKnownAgent =
    span.kind === "agent" && run.definition.agents.some(({ key }) => key === span.agent);
  if (isKnownAgent) return { id: `agent:${span.agent}`, label: `agents.${span.agent}` };
  if (span.taskKey === null || !isTask(run, span.taskKey)) return null;
  return { id: `task:${span.taskKey}`, label: `tasks.${span.taskKey}` };
}
