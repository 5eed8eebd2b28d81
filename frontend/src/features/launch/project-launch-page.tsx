import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { ProjectFrame } from "@/components/project/project-frame";
import { projectQuery } from "@/lib/queries/projects";
import { runQuery } from "@/lib/queries/runs";

import { LaunchSkeleton } from "./launch-skeleton";
import { ProjectLaunch } from "./project-launch";

const route = getRouteApi("/shell/projects/$projectId/run");

/** The page that sets up and starts a run of a project; `?from=` fills in the inputs of an earlier run. */
export function ProjectLaunchPage() {
  const { projectId } = route.useParams();
  const { from, version } = route.useSearch();
  const project = useQuery(projectQuery(projectId));
  const earlierRun = useQuery({ ...runQuery(from ?? ""), enabled: Boolean(from) });
  if (!project.data) {
    return (
      <Page title="Run">
        {project.error ? (
          <ErrorPanel error={project.error} onRetry={() => project.refetch()} />
        ) : (
          <LaunchSkeleton />
        )}
      </Page>
    );
  }
  return (
    <ProjectFrame project={project.data} tab="run">
      {from && earlierRun.isPending ? (
        <LaunchSkeleton />
      ) : (
        <ProjectLaunch
          project={project.data}
          number={version ?? project.data.newestVersion}
          earlierRun={earlierRun.data}
          earlierRunError={earlierRun.error}
        />
      )}
    </ProjectFrame>
  );
}
