import { Link } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { UploadNotes } from "@/components/project/upload-notes";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { Project } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { findUnsetNames } from "@/lib/project-models";

import { ApproverChoice } from "./approver-choice";
import { DeleteProject } from "./delete-project";
import { EntryPointChoice } from "./entry-point-choice";
import { InspectionFacts } from "./inspection-facts";

/** What was found in the newest version, and what is left to do before a run. */
export function OverviewTab({ project }: { project: Project }) {
  const { inspection } = project.version;
  const { warnings = [] } = inspection;
  return (
    <div className="grid gap-4">
      <UploadNotes project={project} />
      <StateAlert project={project} />
      <UnsetVariables project={project} />
      <Card title="What was found">
        <div className="grid gap-4 p-4">
          <EntryPointChoice project={project} />
          <ApproverChoice project={project} />
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
      <Allowed scope="projects:write">
        <DeleteProject project={project} />
      </Allowed>
    </div>
  );
}

function StateAlert({ project }: { project: Project }) {
  const { build } = project.version;
  if (build.status === "ready") return null;
  const hasFailed = build.status === "failed";
  return (
    <Alert
      tone={hasFailed ? "err" : "info"}
      title={hasFailed ? "The environment could not be built" : "The environment is being built"}
      actions={
        <Button asChild size="sm">
          <Link
            to="/projects/$projectId"
            params={{ projectId: project.id }}
            search={{ tab: "build" }}
          >
            <ScrollText aria-hidden />
            Open the build log
          </Link>
        </Button>
      }
    >
      {hasFailed
        ? build.error
        : "The packages of the project are installed. Its runs can be set up meanwhile."}
    </Alert>
  );
}

/** The environment variables that the code asks for and that are not set. */
function UnsetVariables({ project }: { project: Project }) {
  const unset = findUnsetNames(project);
  if (unset.length === 0) return null;
  return (
    <Alert
      tone="warn"
      title={`${pluralize(unset.length, "environment variable")} that the code reads ${unset.length === 1 ? "is" : "are"} not set`}
      actions={
        <Allowed scope="projects:write">
          <Button asChild size="sm">
            <Link
              to="/projects/$projectId"
              params={{ projectId: project.id }}
              search={{ tab: "secrets" }}
            >
              Set {unset.length === 1 ? "it" : "them"}
            </Link>
          </Button>
        </Allowed>
      }
    >
      {unset.join(", ")}
    </Alert>
  );
}
