import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { ProjectDropZone } from "@/components/project/project-drop-zone";
import { TimeAgo } from "@/components/time-ago";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Project, ProjectVersionSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { projectVersionsQuery } from "@/lib/queries/projects";

import { BuildStatus } from "@/components/project/build-status";
import { useIsShared } from "@/lib/rights";

import { FileChanges } from "./file-changes";
import { useShownVersion } from "./use-shown-version";

const route = getRouteApi("/shell/projects/$projectId");

/** The versions of a project, the upload of the next one, and the files that differ. */
export function VersionsTab({ project }: { project: Project }) {
  const [shown, show] = useShownVersion(project);
  const from = route.useSearch({ select: (search) => search.from });
  const list = useInfiniteQuery(projectVersionsQuery(project.id));
  const versions = list.data?.pages.flatMap((page) => page.versions) ?? [];
  return (
    <div className="grid gap-4">
      <Allowed scope="code:write">
        <Card title="Upload a new version">
          <div className="p-4">
            <ProjectDropZone projectId={project.id} />
          </div>
        </Card>
      </Allowed>
      {list.isPending ? (
        <SkeletonRows />
      ) : versions.length === 0 ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : (
        <div className="grid min-h-0 items-start gap-4 lg:grid-cols-[18rem_minmax(0,1fr)]">
          <nav
            aria-label="Versions"
            className="max-h-72 overflow-y-auto rounded-lg border bg-surface lg:max-h-[36rem]"
          >
            <ol reversed className="divide-y divide-line">
              {versions.map((version) => (
                <VersionRow
                  key={version.number}
                  version={version}
                  isShown={version.number === shown}
                  onShow={() => show(version.number)}
                />
              ))}
            </ol>
            {list.hasNextPage && (
              <LoadMore
                isLoading={list.isFetchingNextPage}
                onLoad={() => void list.fetchNextPage()}
              >
                Older versions
              </LoadMore>
            )}
          </nav>
          <FileChanges key={shown} project={project} to={shown} from={from ?? shown - 1} />
        </div>
      )}
    </div>
  );
}

interface RowProps {
  version: ProjectVersionSummary;
  isShown: boolean;
  onShow: () => void;
}

function VersionRow({ version, isShown, onShow }: RowProps) {
  const { number, status, note, createdAt, createdByName } = version;
  const isShared = useIsShared();
  return (
    <li>
      <button
        type="button"
        aria-current={isShown || undefined}
        onClick={onShow}
        className={cn(
          "grid w-full gap-0.5 border-l-2 px-3 py-2 text-left focus-visible:-outline-offset-2",
          isShown ? "border-l-accent bg-accent-soft/60" : "border-l-transparent hover:bg-hover",
        )}
      >
        <span className="flex flex-wrap items-center gap-2 font-medium">
          Version {number}
          <BuildStatus state={status} />
        </span>
        {note && <span className="line-clamp-2 break-words">{note}</span>}
        <span className="text-xs text-ink-soft">
          <TimeAgo at={createdAt} />
          {isShared && ` · ${createdByName}`}
        </span>
      </button>
    </li>
  );
}
