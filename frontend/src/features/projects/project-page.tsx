import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, type ComponentType, type LazyExoticComponent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { PanelBoundary } from "@/components/panel-boundary";
import { ProjectFrame } from "@/components/project/project-frame";
import type { ProjectTab } from "@/components/project/project-tabs";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Project } from "@/lib/api/types";
import { projectQuery } from "@/lib/queries/projects";

import { OverviewTab } from "./tabs/overview-tab";

type Tab = ComponentType<{ project: Project }>;

const TABS: Record<Exclude<ProjectTab, "run">, Tab | LazyExoticComponent<Tab>> = {
  overview: OverviewTab,
  versions: lazy(async () => ({ default: (await import("./tabs/versions-tab")).VersionsTab })),
  build: lazy(async () => ({ default: (await import("./tabs/build-tab")).BuildTab })),
  files: lazy(async () => ({ default: (await import("./tabs/files-tab")).FilesTab })),
  secrets: lazy(async () => ({ default: (await import("./tabs/secrets-tab")).SecretsTab })),
  models: lazy(async () => ({
    default: (await import("@/components/project/model-choices")).ModelChoices,
  })),
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
    <ProjectFrame project={project} tab={tab}>
      <PanelBoundary key={`${projectId} ${tab}`}>
        <Suspense fallback={<SkeletonRows />}>
          <Content key={projectId} project={project} />
        </Suspense>
      </PanelBoundary>
    </ProjectFrame>
  );
}
