import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { Workflow, YamlProblem } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { YamlProblemList } from "./yaml-problem-list";

interface Props {
  result: {
    workflow: Workflow;
    workflows: { id: string; name: string }[];
    warnings: YamlProblem[];
  };
}

/** The warnings of an import, and links to all new workflows. */
export function ImportResultCard({ result: { workflow, workflows, warnings } }: Props) {
  const isOne = workflows.length === 1;
  return (
    <Card
      title={
        isOne ? `${workflow.name} was imported` : `${workflows.length} workflows were imported`
      }
    >
      <div className="grid gap-3 p-4">
        {isOne && (
          <>
            <Alert tone="warn" title={pluralize(warnings.length, "warning")}>
              The workflow can be run. Check what was left out.
            </Alert>
            <YamlProblemList problems={warnings} />
          </>
        )}
        {!isOne && (
          <ul className="grid gap-1">
            {workflows.map(({ id, name }) => (
              <li key={id}>
                <Link
                  to="/workflows/$workflowId"
                  params={{ workflowId: id }}
                  className="text-accent underline underline-offset-2"
                >
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        )}
      </div>
      {isOne && (
        <footer className="flex justify-end gap-2 border-t px-4 py-3">
          <Button asChild>
            <Link to="/workflows/$workflowId/run" params={{ workflowId: workflow.id }}>
              Run workflow
            </Link>
          </Button>
          <Button asChild variant="primary">
            <Link to="/workflows/$workflowId" params={{ workflowId: workflow.id }}>
              Open in the editor
            </Link>
          </Button>
        </footer>
      )}
    </Card>
  );
}
