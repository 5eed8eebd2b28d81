import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import type { Project, ProjectInspection } from "@/lib/api/types";
import { describeEntryPoint } from "@/lib/entry-points";
import { pluralize } from "@/lib/format";

interface Props {
  project: Project;
  inspection: ProjectInspection;
}

/** What starts the project and what it uses, in one line, with a link to everything that was found. */
export function ProjectSummary({ project, inspection }: Props) {
  const start = project.entryPoint ?? inspection.entryPoints[0];
  if (!start) {
    return (
      <Alert tone="err" title="Nothing was found that starts the project">
        It needs a crew class, a crew.jsonc, a flow, or a script with a main function. Add one and
        upload the project again.
      </Alert>
    );
  }
  const { crewai, python, tools = [], entryPoints, warnings = [] } = inspection;
  const facts = [
    crewai && `CrewAI ${crewai}`,
    python && `Python ${python}`,
    tools.length > 0 && `tools: ${tools.join(", ")}`,
    entryPoints.length > 1 && `${entryPoints.length - 1} more to choose from`,
    warnings.length > 0 && pluralize(warnings.length, "warning"),
  ].filter(Boolean);
  return (
    <p className="break-words text-ink-soft">
      Starts with <span className="font-medium text-ink">{describeEntryPoint(start)}</span>
      {facts.length > 0 && ` · ${facts.join(" · ")}`} ·{" "}
      <Link
        to="/projects/$projectId"
        params={{ projectId: project.id }}
        className="text-accent underline underline-offset-2"
      >
        What was found
      </Link>
    </p>
  );
}
