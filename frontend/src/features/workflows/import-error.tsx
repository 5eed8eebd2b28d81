import { Link } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import type { YamlProblem } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { getDocumentProblems, getSuggestedName, getNameOwner } from "./create-workflow";
import type { Source } from "./import-source";
import { YamlProblemList } from "./yaml-problem-list";

interface Props {
  /** Why the request was not sent. */
  sourceError: string | null;
  error: unknown;
  source: Source;
  onRename: (name: string) => void;
  onSelect?: (problem: YamlProblem) => void;
}

/** Why the import failed, and how to continue. */
export function ImportError({ sourceError, error, source, onRename, onSelect }: Props) {
  if (sourceError) return <Alert tone="err" title={sourceError} />;
  if (!error) return null;
  const suggestedName = getSuggestedName(error);
  if (suggestedName) return <NameTaken {...{ error, suggestedName, source, onRename }} />;
  const problems = getDocumentProblems(error);
  if (problems.length === 0) return <ErrorPanel error={error} />;
  return (
    <div className="grid gap-2">
      <Alert
        tone="err"
        title={`Import failed. Fix ${pluralize(problems.length, "error")} and try again.`}
      />
      <YamlProblemList problems={problems} onSelect={onSelect} />
    </div>
  );
}

interface TakenProps extends Pick<Props, "error" | "source" | "onRename"> {
  suggestedName: string;
}

function NameTaken({ error, suggestedName, source, onRename }: TakenProps) {
  const owner = getNameOwner(error);
  return (
    <Alert
      tone="err"
      title="A workflow with this name already exists"
      actions={
        <>
          {source.kind !== "archive" && (
            <Button size="sm" onClick={() => onRename(suggestedName)}>
              Import as “{suggestedName}”
            </Button>
          )}
          {owner && (
            <Button asChild size="sm">
              <Link to="/workflows/$workflowId" params={{ workflowId: owner }}>
                Open existing workflow
              </Link>
            </Button>
          )}
        </>
      }
    >
      {source.kind === "archive" && "Import the project again: it gets another name."}
    </Alert>
  );
}
