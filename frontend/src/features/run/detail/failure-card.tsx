import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import type { Run, RunFailure } from "@/lib/api/types";
import { providersQuery } from "@/lib/queries/models";
import { useCan } from "@/lib/rights";
import { isResumable } from "@/lib/run-state";

import { useResumeRun } from "../header/run-mutations";

import { suggestedAction } from "./suggested-action";

interface Props {
  run: Run;
  failure: RunFailure | null;
  message: string;
  /** The step was retried successfully, or its task succeeded. */
  isRecovered?: boolean;
  taskKey?: string | null;
  agent?: string | null;
}

/** An error with its hint and a button for the suggested action. */
export function FailureCard({ run, failure, message, isRecovered, taskKey, agent }: Props) {
  const source = {
    taskKey: failure?.taskKey ?? taskKey ?? null,
    agent: failure?.agent ?? agent ?? null,
  };
  return (
    <Alert
      tone={isRecovered ? "warn" : "err"}
      title={<span className="break-words whitespace-pre-wrap">{failure?.message ?? message}</span>}
    >
      {failure?.hint && <p>{failure.hint}</p>}
      {failure && (
        <p className="mt-1 text-xs">
          <code className="font-mono">{failure.code}</code>
          {source.taskKey && ` · task ${source.taskKey}`}
          {source.agent && ` · agent ${source.agent}`}
        </p>
      )}
      {!isRecovered && failure && (
        <div className="mt-2 empty:hidden">
          <SuggestedAction run={run} failure={failure} {...source} />
        </div>
      )}
    </Alert>
  );
}

interface ActionProps {
  run: Run;
  failure: RunFailure;
  taskKey: string | null;
  agent: string | null;
}

function SuggestedAction({ run, failure, taskKey, agent }: ActionProps) {
  switch (suggestedAction(failure.code)) {
    case "provider":
      return <ProviderLink name={failure.provider ?? null} />;
    case "resume":
      return <ResumeButton run={run} />;
    case "agent":
      return (
        <EditorLink run={run} node={agent ? `agent:${agent}` : null} label="Change the model" />
      );
    case "task":
      return (
        <EditorLink run={run} node={taskKey ? `task:${taskKey}` : null} label="Edit the task" />
      );
    case "none":
      return null;
  }
}

function ProviderLink({ name }: { name: string | null }) {
  const { data = [] } = useQuery(providersQuery());
  const provider = data.find((candidate) => candidate.name === name);
  return (
    <Button asChild size="sm">
      <Link to="/models" search={provider ? { provider: provider.id } : {}}>
        {name ? `Check ${name}` : "Check the provider"}
      </Link>
    </Button>
  );
}

function ResumeButton({ run }: { run: Run }) {
  const resume = useResumeRun(run);
  if (!useCan("runs:write") || !isResumable(run.status)) return null;
  return (
    <Button size="sm" busy={resume.isPending} onClick={() => resume.mutate()}>
      Resume from the last finished task
    </Button>
  );
}

function EditorLink({ run, node, label }: { run: Run; node: string | null; label: string }) {
  if (!useCan("workflows:write") || !run.workflowId || !node) return null;
  return (
    <Button asChild size="sm">
      <Link to="/workflows/$workflowId" params={{ workflowId: run.workflowId }} search={{ node }}>
        {label}
      </Link>
    </Button>
  );
}
