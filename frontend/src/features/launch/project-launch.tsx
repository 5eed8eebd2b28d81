import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { ModelChoices } from "@/components/project/model-choices";
import { UploadNotes } from "@/components/project/upload-notes";
import { VersionBuild } from "@/components/project/version-build";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import type { Project, Run } from "@/lib/api/types";
import { isBuilding, projectVersionQuery } from "@/lib/queries/projects";
import { aboutQuery } from "@/lib/queries/system";

import { BuildProgress } from "./build-progress";
import { InputsSource } from "./inputs-source";
import { LaunchForm } from "./launch-form";
import { LaunchSkeleton } from "./launch-skeleton";
import { ProjectSummary } from "./project-summary";
import { UnsetVariables } from "./unset-variables";

const route = getRouteApi("/shell/projects/$projectId/run");

interface Props {
  project: Project;
  /** The version to run. */
  number: number;
  earlierRun?: Run;
  earlierRunError: unknown;
}

/** What was found in a version, and the form that starts it: usable while the version is being built. */
export function ProjectLaunch({ project, number, earlierRun, earlierRunError }: Props) {
  const navigate = useNavigate();
  const other = useQuery({
    ...projectVersionQuery(project.id, number),
    enabled: number !== project.newestVersion,
  });
  const { data: areProjectsOff } = useQuery({
    ...aboutQuery(),
    select: ({ projects }) => projects.state === "off" || projects.state === "unavailable",
  });
  const version = number === project.newestVersion ? project.version : other.data;
  if (!version) {
    return other.error ? (
      <ErrorPanel error={other.error} onRetry={() => other.refetch()} />
    ) : (
      <LaunchSkeleton />
    );
  }
  const { inputs = [] } = version.inspection;
  return (
    <div className="grid gap-4">
      <UploadNotes project={project} />
      {project.newestVersion > 1 && <VersionField project={project} number={number} />}
      <ProjectSummary project={project} inspection={version.inspection} />
      {version.status === "failed" ? (
        <VersionBuild key={number} projectId={project.id} version={number} />
      ) : (
        <>
          <InputsSource run={earlierRun} error={earlierRunError} inputs={inputs} />
          <LaunchForm
            key={`${number} ${earlierRun?.id}`}
            source={{ projectId: project.id }}
            version={number}
            inputs={inputs}
            given={earlierRun?.inputs}
            settings={
              <>
                <ModelChoices project={project} />
                <Allowed scope="projects:write">
                  <UnsetVariables project={project} />
                </Allowed>
              </>
            }
            build={
              isBuilding(version.status) && (
                <BuildProgress projectId={project.id} version={number} />
              )
            }
            refusal={areProjectsOff ? "Projects do not run on this server" : undefined}
            checkedState={`${project.revision} ${version.status}`}
            onStarted={(runId) => void navigate({ to: "/runs/$runId", params: { runId } })}
          />
        </>
      )}
    </div>
  );
}

function VersionField({ project, number }: Pick<Props, "project" | "number">) {
  const navigate = route.useNavigate();
  const choose = (version: number) =>
    void navigate({
      search: (search) => ({
        ...search,
        version: version === project.newestVersion ? undefined : version,
      }),
    });
  return (
    <Field label="Version">
      <Select
        className="w-auto"
        value={number}
        onChange={(event) => choose(Number(event.target.value))}
      >
        {Array.from({ length: project.newestVersion }, (_, index) => (
          <option key={index} value={project.newestVersion - index}>
            {project.newestVersion - index}
            {index === 0 && " (newest)"}
          </option>
        ))}
      </Select>
    </Field>
  );
}
