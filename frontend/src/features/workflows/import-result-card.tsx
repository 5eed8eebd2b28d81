import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { Workflow, YamlProblem } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { YamlProblemList } from "./yaml-problem-list";

interface Props {
  result: { workflow: Workflow; warnings: YamlProblem[] };
}

/** The warnings of an import. */
export function ImportResultCard({ result: { workflow, warnings } }: Props) {
  return (
    <Card title={`${workflow.name} was imported`}>
      <div className="grid gap-3 p-4">
        <Alert tone="warn" title={pluralize(warnings.length, "warning")}>
          The workflow can be run. Review these lines when you have time.
        </Alert>
        <YamlProblemList problems={warnings} />
      </div>
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
    </Card>
  );
}
