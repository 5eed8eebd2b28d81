import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { FolderCode } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { ListSearch } from "@/components/list-search";
import { LoadMore } from "@/components/load-more";
import { Page } from "@/components/page";
import { ProjectDropZone } from "@/components/project/project-drop-zone";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { projectsQuery } from "@/lib/queries/projects";

import { ProjectList } from "./project-list";

const route = getRouteApi("/shell/projects");

/** All projects, and the upload of a new one. */
export function ProjectsPage() {
  const { q = "" } = route.useSearch();
  const list = useInfiniteQuery({ ...projectsQuery(q), placeholderData: keepPreviousData });
  const projects = list.data?.pages.flatMap((page) => page.projects) ?? [];
  const isEmpty = list.isSuccess && projects.length === 0;
  return (
    <Page
      title="Projects"
      description="CrewAI projects that run with their own Python code on this server."
    >
      {list.isPending ? (
        <SkeletonRows className="rounded-lg border bg-surface" />
      ) : list.isError && projects.length === 0 ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : isEmpty && !q ? (
        <NoProjects />
      ) : (
        <>
          <Allowed scope="code:write">
            <ProjectDropZone />
          </Allowed>
          <ListSearch to="/projects" label="Search projects" q={q} />
          {isEmpty ? <NoResults q={q} /> : <ProjectList projects={projects} />}
        </>
      )}
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          More projects
        </LoadMore>
      )}
      {list.isFetchNextPageError && (
        <ErrorPanel error={list.error} onRetry={() => list.fetchNextPage()} />
      )}
    </Page>
  );
}

const STEPS: [string, string][] = [
  [
    "Upload",
    "The files are read, not executed: you see what starts the project, its inputs, models and tools. Values of .env files are stored encrypted.",
  ],
  [
    "Build",
    "The packages that the project asks for are installed. The first build takes about a minute, later ones mostly seconds.",
  ],
  [
    "Run",
    "Choose the models, start it and follow it live: with stop, budget and approvals, as any other run.",
  ],
];

function NoProjects() {
  return (
    <Card title="Bring your project">
      <div className="grid gap-4 p-4">
        <p className="text-ink-soft">
          Any CrewAI project runs here as it is: crews, flows, own tools and scripts.
        </p>
        <Allowed scope="code:write">
          <ProjectDropZone />
        </Allowed>
        <h3 className="font-medium">What happens next</h3>
        <ol className="grid gap-3 sm:grid-cols-3">
          {STEPS.map(([title, text], index) => (
            <li key={title} className="rounded-md border p-3">
              <p className="font-medium">
                {index + 1}. {title}
              </p>
              <p className="text-ink-soft">{text}</p>
            </li>
          ))}
        </ol>
      </div>
    </Card>
  );
}

function NoResults({ q }: { q: string }) {
  return (
    <EmptyState
      icon={FolderCode}
      title={`No projects match “${q}”`}
      actions={
        <Button asChild>
          <Link to="/projects">Clear search</Link>
        </Button>
      }
    />
  );
}
