import { queryOptions, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { FileText, Folder as FolderIcon } from "lucide-react";
import { useMemo } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api, body } from "@/lib/api/client";
import type { Project, ProjectFile } from "@/lib/api/types";
import { buildFileTree, type Folder } from "@/lib/file-tree";
import { projectKeys } from "@/lib/queries/projects";

import { FileText as FileContent } from "./file-text";
import { useShownVersion } from "./use-shown-version";
import { VersionChoice } from "./version-choice";

const route = getRouteApi("/shell/projects/$projectId");

const projectFilesQuery = (id: string, number: number) =>
  queryOptions({
    queryKey: [...projectKeys.version(id, number), "files"] as const,
    queryFn: async ({ signal }) => {
      const params = { path: { project_id: id, number } };
      const path = "/api/v1/projects/{project_id}/versions/{number}/files" as const;
      return body(await api.GET(path, { params, signal })).files;
    },
    staleTime: Infinity,
  });

/** The files of a version as a tree, and the text of the chosen one. */
export function FilesTab({ project }: { project: Project }) {
  const [version, showVersion] = useShownVersion(project);
  const file = route.useSearch({ select: (search) => search.file });
  const files = useQuery(projectFilesQuery(project.id, version));
  const tree = useMemo(
    () => (files.data ? buildFileTree(files.data, (one) => one.path) : null),
    [files.data],
  );
  if (files.isPending) return <SkeletonRows />;
  if (!tree) return <ErrorPanel error={files.error} onRetry={() => files.refetch()} />;
  return (
    <div className="grid gap-4">
      {project.newestVersion > 1 && (
        <VersionChoice newest={project.newestVersion} value={version} onChange={showVersion} />
      )}
      <div className="grid min-h-0 items-start gap-4 lg:grid-cols-[18rem_minmax(0,1fr)]">
        <nav
          aria-label="Files"
          className="max-h-72 overflow-auto rounded-lg border bg-surface p-2 lg:max-h-[36rem]"
        >
          <FolderContent folder={tree} shown={file} />
        </nav>
        {file ? (
          <FileContent
            key={`${version} ${file}`}
            {...{ projectId: project.id, version, path: file }}
          />
        ) : (
          <Card>
            <p className="p-4 text-ink-soft">Choose a file to read it.</p>
          </Card>
        )}
      </div>
    </div>
  );
}

function FolderContent({ folder, shown }: { folder: Folder<ProjectFile>; shown?: string }) {
  return (
    <ul className="grid">
      {folder.folders.map((child) => (
        <li key={child.path}>
          <details open>
            <summary className="flex min-h-8 cursor-pointer items-center gap-1.5 rounded-sm px-2 hover:bg-hover max-sm:min-h-10">
              <FolderIcon aria-hidden className="size-4 shrink-0 text-ink-faint" />
              <span className="min-w-0 break-all">{child.name}</span>
            </summary>
            <div className="pl-3">
              <FolderContent folder={child} shown={shown} />
            </div>
          </details>
        </li>
      ))}
      {folder.files.map(({ name, path }) => (
        <li key={path}>
          <Link
            from="/projects/$projectId"
            to="/projects/$projectId"
            search={(search) => ({ ...search, file: path })}
            resetScroll={false}
            activeOptions={{ exact: true, includeSearch: true }}
            aria-current={path === shown ? "true" : undefined}
            className="flex min-h-8 items-center gap-1.5 rounded-sm px-2 hover:bg-hover focus-visible:-outline-offset-2 aria-[current]:bg-accent-soft aria-[current]:text-accent max-sm:min-h-10"
          >
            <FileText aria-hidden className="size-4 shrink-0" />
            <span className="min-w-0 break-all">{name}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
