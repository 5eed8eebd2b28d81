import { Link } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import type { YamlProblem } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { documentProblems, freeName, nameOwner } from "./create-workflow";
import type { Source } from "./import-source";
import { ProblemList } from "./problem-list";

interface Props {
  /** Why nothing was sent. */
  refused: string | null;
  error: unknown;
  source: Source;
  onRename: (name: string) => void;
  onPick?: (problem: YamlProblem) => void;
}

/** Why nothing was imported, and what to do. */
export function ImportProblem({ refused, error, source, onRename, onPick }: Props) {
  if (refused) return <Alert tone="err" title={refused} />;
  if (!error) return null;
  const free = freeName(error);
  if (free) return <NameTaken {...{ error, free, source, onRename }} />;
  const problems = documentProblems(error);
  if (problems.length === 0) return <ErrorPanel error={error} />;
  return (
    <div className="grid gap-2">
      <Alert
        tone="err"
        title={`Nothing was imported: ${pluralize(problems.length, "problem")} to mend first`}
      />
      <ProblemList problems={problems} onPick={onPick} />
    </div>
  );
}

interface TakenProps extends Pick<Props, "error" | "source" | "onRename"> {
  free: string;
}

function NameTaken({ error, free, source, onRename }: TakenProps) {
  const owner = nameOwner(error);
  return (
    <Alert
      tone="err"
      title="There is a workflow of this name already"
      actions={
        <>
          {source.kind !== "archive" && (
            <Button size="sm" onClick={() => onRename(free)}>
              Import as “{free}”
            </Button>
          )}
          {owner && (
            <Button asChild size="sm">
              <Link to="/workflows/$workflowId" params={{ workflowId: owner }}>
                Open that one
              </Link>
            </Button>
          )}
        </>
      }
    >
      {source.kind === "archive" &&
        "Give the project another name in its files, or rename that workflow."}
    </Alert>
  );
}
