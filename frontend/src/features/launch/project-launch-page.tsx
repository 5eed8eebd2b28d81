import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import type { Project, Run } from "@/lib/api/types";
import { isBuilding, projectQuery, projectVersionQuery } from "@/lib/queries/projects";
import { runQuery } from "@/lib/queries/runs";

import { InputsSource } from "./inputs-source";
import { LaunchForm } from "./launch-form";
import { LaunchSkeleton } from "./launch-skeleton";

const route = getRouteApi("/shell/projects/$projectId/run");

/** The page that starts a run of a project; `?from=` fills it with the inputs of an earlier run. */
export function ProjectLaunchPage() {
  const { projectId } = route.useParams();
  const { from, version } = route.useSearch();
  const project = useQuery(projectQuery(projectId));
  const earlierRun = useQuery({ ...runQuery(from ?? ""), enabled: Boolean(from) });
  return (
    <Page
      title={project.data ? `Run ${project.data.name}` : "Run"}
      description={
        <Link
          to="/projects/$projectId"
          params={{ projectId }}
          className="underline-offset-4 hover:underline"
        >
          Open the project
        </Link>
      }
    >
      {project.error && !project.data ? (
        <ErrorPanel error={project.error} onRetry={() => project.refetch()} />
      ) : !project.data || (from && earlierRun.isPending) ? (
        <LaunchSkeleton />
      ) : (
        <LaunchContent
          project={project.data}
          number={version ?? project.data.newestVersion}
          earlierRun={earlierRun.data}
          earlierRunError={earlierRun.error}
        />
      )}
    </Page>
  );
}

interface Props {
  project: Project;
  /** The version to run. */
  number: number;
  earlierRun?: Run;
  earlierRunError: unknown;
}

function LaunchContent({ project, number, earlierRun, earlierRunError }: Props) {
  const navigate = useNavigate();
  const other = useQuery({
    ...projectVersionQuery(project.id, number),
    enabled: number !== project.newestVersion,
  });
  const version = number === project.newestVersion ? project.version : other.data;
  const open = (runId: string) => void navigate({ to: "/runs/$runId", params: { runId } });
  const inputs = version?.inspection.inputs ?? [];
  return (
    <>
      {project.newestVersion > 1 && <VersionField project={project} number={number} />}
      {other.error && !version ? (
        <ErrorPanel error={other.error} onRetry={() => other.refetch()} />
      ) : !version ? (
        <LaunchSkeleton />
      ) : version.status === "ready" ? (
        <>
          <InputsSource run={earlierRun} error={earlierRunError} inputs={inputs} />
          <LaunchForm
            key={`${number} ${earlierRun?.id}`}
            source={{ projectId: project.id }}
            version={number}
            inputs={inputs}
            given={earlierRun?.inputs}
            onStarted={open}
          />
        </>
      ) : (
        <NotReady projectId={project.id} version={version} />
      )}
    </>
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

function NotReady({ projectId, version }: { projectId: string; version: Project["version"] }) {
  const isWaiting = isBuilding(version.status);
  return (
    <Alert
      tone={isWaiting ? "info" : "err"}
      title={
        isWaiting
          ? `Version ${version.number} is being built. The form appears when it is ready.`
          : `Version ${version.number} cannot run: its build failed.`
      }
      actions={
        <Button asChild size="sm">
          <Link
            to="/projects/$projectId"
            params={{ projectId }}
            search={{ tab: "build", version: version.number }}
          >
            Open the build log
          </Link>
        </Button>
      }
    >
      {version.build.error}
    </Alert>
  );
}
