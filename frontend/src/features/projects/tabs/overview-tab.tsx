import { Link } from "@tanstack/react-router";
import { Play, ScrollText } from "lucide-react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { Project } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { DeleteProject } from "./delete-project";
import { EntryPointChoice } from "./entry-point-choice";
import { InspectionFacts } from "./inspection-facts";
import { findUnmappedModels, findUnsetNames } from "./open-steps";
import { UploadNotes } from "./upload-notes";

/** What was found in the newest version, and what is left to do before a run. */
export function OverviewTab({ project }: { project: Project }) {
  const { inspection } = project.version;
  const { warnings = [] } = inspection;
  return (
    <div className="grid gap-4">
      <UploadNotes project={project} />
      <StateAlert project={project} />
      <OpenSteps project={project} />
      <Card title="What was found">
        <div className="grid gap-4 p-4">
          <EntryPointChoice project={project} />
          <InspectionFacts inspection={inspection} />
        </div>
      </Card>
      {warnings.length > 0 && (
        <Card title={pluralize(warnings.length, "warning")}>
          <ul className="grid list-disc gap-1 p-4 pl-8">
            {warnings.map((warning) => (
              <li key={warning} className="break-words">
                {warning}
              </li>
            ))}
          </ul>
        </Card>
      )}
      <DeleteProject project={project} />
    </div>
  );
}

function StateAlert({ project }: { project: Project }) {
  const { build } = project.version;
  const log = (
    <Button asChild size="sm">
      <Link to="/projects/$projectId" params={{ projectId: project.id }} search={{ tab: "build" }}>
        <ScrollText aria-hidden />
        Open the build log
      </Link>
    </Button>
  );
  if (build.status === "failed") {
    return (
      <Alert tone="err" title="The environment could not be built" actions={log}>
        {build.error}
      </Alert>
    );
  }
  if (build.status !== "ready") {
    return (
      <Alert title="The environment is being built" actions={log}>
        The packages of the project are installed. You can set secrets and choose models meanwhile.
      </Alert>
    );
  }
  return (
    <Alert
      title="Ready to run"
      actions={
        <Button asChild size="sm" variant="primary">
          <Link to="/projects/$projectId/run" params={{ projectId: project.id }}>
            <Play aria-hidden />
            Start a run
          </Link>
        </Button>
      }
    />
  );
}

/** What the code asks for and is not set. None of it is required by the server. */
function OpenSteps({ project }: { project: Project }) {
  const unset = findUnsetNames(project);
  const unmapped = findUnmappedModels(project);
  if (unset.length === 0 && unmapped.length === 0) return null;
  const params = { projectId: project.id };
  return (
    <Card title="Check before the first run">
      <ul className="divide-y divide-line">
        {unmapped.length > 0 && (
          <li className="flex flex-wrap items-center justify-between gap-2 px-4 py-3">
            <p className="min-w-0 break-words">
              No model is chosen for {unmapped.join(", ")}: the default model answers.
            </p>
            <Button asChild size="sm">
              <Link to="/projects/$projectId" params={params} search={{ tab: "models" }}>
                Choose models
              </Link>
            </Button>
          </li>
        )}
        {unset.length > 0 && (
          <li className="flex flex-wrap items-center justify-between gap-2 px-4 py-3">
            <p className="min-w-0 break-words">
              The code reads environment variables that are not set: {unset.join(", ")}.
            </p>
            <Button asChild size="sm">
              <Link to="/projects/$projectId" params={params} search={{ tab: "secrets" }}>
                Set secrets
              </Link>
            </Button>
          </li>
        )}
      </ul>
    </Card>
  );
}
