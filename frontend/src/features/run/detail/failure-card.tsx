import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import type { Run, RunFailure } from "@/lib/api/types";
import { providersQuery } from "@/lib/queries/models";
import { isResumable } from "@/lib/run-state";

import { useResumeRun } from "../header/run-mutations";

import { remedyFor } from "./suggested-action";

interface Props {
  run: Run;
  failure: RunFailure | null;
  message: string;
  /** It passed when tried again, or what it was part of passed. */
  mended?: boolean;
  taskKey?: string | null;
  agent?: string | null;
}

/** What went wrong, what to do about it, and the button that leads there. */
export function FailureCard({ run, failure, message, mended, taskKey, agent }: Props) {
  const where = {
    taskKey: failure?.taskKey ?? taskKey ?? null,
    agent: failure?.agent ?? agent ?? null,
  };
  return (
    <Alert
      tone={mended ? "warn" : "err"}
      title={<span className="break-words whitespace-pre-wrap">{failure?.message ?? message}</span>}
    >
      {failure?.hint && <p>{failure.hint}</p>}
      {failure && (
        <p className="mt-1 text-xs">
          <code className="font-mono">{failure.code}</code>
          {where.taskKey && ` · task ${where.taskKey}`}
          {where.agent && ` · agent ${where.agent}`}
        </p>
      )}
      {!mended && failure && (
        <div className="mt-2 empty:hidden">
          <Remedy run={run} failure={failure} {...where} />
        </div>
      )}
    </Alert>
  );
}

interface RemedyProps {
  run: Run;
  failure: RunFailure;
  taskKey: string | null;
  agent: string | null;
}

function Remedy({ run, failure, taskKey, agent }: RemedyProps) {
  const remedy = remedyFor(failure.code);
  switch (remedy) {
    case "provider":
      return <ProviderLink name={failure.provider ?? null} />;
    case "resume":
      return <Resume run={run} />;
    case "agent":
      return (
        <EditorLink run={run} node={agent ? `agent:${agent}` : null} words="Change the model" />
      );
    case "task":
      return (
        <EditorLink run={run} node={taskKey ? `task:${taskKey}` : null} words="Edit the task" />
      );
    case "none":
      return null;
  }
}

function ProviderLink({ name }: { name: string | null }) {
  const { data = [] } = useQuery(providersQuery());
  const provider = data.find((one) => one.name === name);
  return (
    <Button asChild size="sm">
      <Link to="/models" search={provider ? { provider: provider.id } : {}}>
        {name ? `Check ${name}` : "Check the provider"}
      </Link>
    </Button>
  );
}

function Resume({ run }: { run: Run }) {
  const resume = useResumeRun(run);
  if (!isResumable(run.status)) return null;
  return (
    <Button size="sm" busy={resume.isPending} onClick={() => resume.mutate()}>
      Resume from the last finished task
    </Button>
  );
}

function EditorLink({ run, node, words }: { run: Run; node: string | null; words: string }) {
  if (!run.workflowId || !node) return null;
  return (
    <Button asChild size="sm">
      <Link to="/workflows/$workflowId" params={{ workflowId: run.workflowId }} search={{ node }}>
        {words}
      </Link>
    </Button>
  );
}
