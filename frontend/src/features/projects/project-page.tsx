import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { lazy, Suspense, type ComponentType, type LazyExoticComponent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { PanelBoundary } from "@/components/panel-boundary";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Project } from "@/lib/api/types";
import { projectQuery } from "@/lib/queries/projects";

import { BuildStatus } from "./build-status";
import { OverviewTab } from "./tabs/overview-tab";
import { ProjectTabs, type ProjectTab } from "./project-tabs";

type Tab = ComponentType<{ project: Project }>;

const TABS: Record<ProjectTab, Tab | LazyExoticComponent<Tab>> = {
  overview: OverviewTab,
  versions: lazy(async () => ({ default: (await import("./tabs/versions-tab")).VersionsTab })),
  build: lazy(async () => ({ default: (await import("./tabs/build-tab")).BuildTab })),
  files: lazy(async () => ({ default: (await import("./tabs/files-tab")).FilesTab })),
  secrets: lazy(async () => ({ default: (await import("./tabs/secrets-tab")).SecretsTab })),
  models: lazy(async () => ({ default: (await import("./tabs/models-tab")).ModelsTab })),
  hosts: lazy(async () => ({ default: (await import("./tabs/hosts-tab")).HostsTab })),
  runs: lazy(async () => ({ default: (await import("./tabs/runs-tab")).RunsTab })),
};

const route = getRouteApi("/shell/projects/$projectId");

/** A project with its versions, build, settings and runs. */
export function ProjectPage() {
  const { projectId } = route.useParams();
  const tab = route.useSearch({ select: (search) => search.tab }) ?? "overview";
  const { data: project, error, refetch } = useQuery(projectQuery(projectId));
  if (!project) {
    return (
      <Page title="Project">
        {error ? <ErrorPanel error={error} onRetry={() => void refetch()} /> : <SkeletonRows />}
      </Page>
    );
  }
  const Content = TABS[tab];
  return (
    <Page
      title={project.name}
      description={
        <span className="inline-flex flex-wrap items-center gap-2">
          Version {project.newestVersion}
          <BuildStatus state={project.status} />
        </span>
      }
      actions={
        project.status === "ready" && (
          <Button asChild variant="primary">
            <Link to="/projects/$projectId/run" params={{ projectId }}>
              <Play aria-hidden />
              Run project
            </Link>
          </Button>
        )
      }
    >
      <ProjectTabs projectId={projectId} tab={tab} />
      <PanelBoundary key={`${projectId} ${tab}`}>
        <Suspense fallback={<SkeletonRows />}>
          <Content key={projectId} project={project} />
        </Suspense>
      </PanelBoundary>
    </Page>
  );
}
