import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { Workflow, YamlProblem } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { ProblemList } from "./problem-list";

interface Props {
  imported: { workflow: Workflow; warnings: YamlProblem[] };
}

/** What an import left out or changed; it stays until it has been read. */
export function ImportedCard({ imported: { workflow, warnings } }: Props) {
  return (
    <Card title={`${workflow.name} is imported`}>
      <div className="grid gap-3 p-4">
        <Alert tone="warn" title={`${pluralize(warnings.length, "thing")} to know about it`}>
          It can be run; look at these lines when you have a moment.
        </Alert>
        <ProblemList problems={warnings} />
      </div>
      <footer className="flex justify-end gap-2 border-t px-4 py-3">
        <Button asChild>
          <Link to="/workflows/$workflowId/run" params={{ workflowId: workflow.id }}>
            Run it
          </Link>
        </Button>
        <Button asChild variant="primary">
          <Link to="/workflows/$workflowId" params={{ workflowId: workflow.id }}>
            Open in the editor
          </Link>
        </Button>
      </footer>
    </Card>
  );
}
