import { Link } from "@tanstack/react-router";
import { ListTree, Play } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import type { ProjectSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { BuildStatus } from "@/components/project/build-status";

const COLUMNS =
  "grid items-center gap-x-4 grid-cols-[minmax(0,1fr)_5rem_8rem_9rem] md:grid-cols-[minmax(0,1fr)_5rem_8rem_8rem_10rem]";

/** The projects as rows, or as cards on a phone. */
export function ProjectList({ projects }: { projects: ProjectSummary[] }) {
  return (
    <div className="sm:rounded-lg sm:border sm:bg-surface">
      <div
        aria-hidden
        className={`${COLUMNS} border-b px-4 py-2 text-xs font-medium text-ink-faint max-sm:hidden`}
      >
        <span>Name</span>
        <span>Version</span>
        <span>Build</span>
        <span className="max-md:hidden">Updated</span>
        <span />
      </div>
      <ul aria-label="Projects" className="grid max-sm:gap-2 sm:divide-y sm:divide-line">
        {projects.map((project) => (
          <ProjectRow key={project.id} project={project} />
        ))}
      </ul>
    </div>
  );
}

/** A project in the list. The whole row is a link. */
function ProjectRow({ project }: { project: ProjectSummary }) {
  const { id, name, description, newestVersion, status, updatedAt } = project;
  const params = { projectId: id };
  return (
    <li
      className={cn(
        COLUMNS,
        "relative px-4 py-2.5 hover:bg-hover/60 max-sm:grid-cols-[minmax(0,1fr)_auto] max-sm:gap-y-2 max-sm:rounded-lg max-sm:border max-sm:bg-surface max-sm:py-3",
      )}
    >
      <div className="min-w-0 max-sm:col-span-2">
        <Link
          to="/projects/$projectId"
          params={params}
          className="font-medium break-words after:absolute after:inset-0"
        >
          {name}
        </Link>
        {description && <p className="line-clamp-1 text-ink-soft">{description}</p>}
      </div>
      <span className="text-ink-soft">
        <span className="mr-1 sm:sr-only">Version</span>
        {newestVersion}
      </span>
      <span>
        <BuildStatus state={status} />
      </span>
      <span className="text-ink-soft max-md:hidden">
        <span className="sr-only">Updated </span>
        <TimeAgo at={updatedAt} />
      </span>
      <div className="relative flex items-center justify-end gap-1 max-sm:col-span-2">
        <Button asChild size="sm" variant="ghost">
          <Link to="/projects/$projectId" params={params} search={{ tab: "runs" }}>
            <ListTree aria-hidden />
            Runs<span className="sr-only"> of {name}</span>
          </Link>
        </Button>
        {status !== "failed" && (
          <Allowed scope="runs:write">
            <Button asChild size="sm">
              <Link to="/projects/$projectId/run" params={params}>
                <Play aria-hidden />
                Run<span className="sr-only"> {name}</span>
              </Link>
            </Button>
          </Allowed>
        )}
      </div>
    </li>
  );
}
