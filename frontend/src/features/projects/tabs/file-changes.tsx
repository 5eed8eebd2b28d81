import { queryOptions, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useId } from "react";

import { DiffTable } from "@/components/diff-table/diff-table";
import { ErrorPanel } from "@/components/error-panel";
import { Badge, type Tone } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { Select } from "@/components/ui/input";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api, body } from "@/lib/api/client";
import type { Project, ProjectFileChange } from "@/lib/api/types";
import { projectKeys } from "@/lib/queries/projects";

const route = getRouteApi("/shell/projects/$projectId");

const projectDiffQuery = (id: string, from: number, to: number) =>
  queryOptions({
    queryKey: [...projectKeys.version(id, to), "diff", from] as const,
    queryFn: async ({ signal }) => {
      const params = { path: { project_id: id, number: to }, query: { from } };
      const path = "/api/v1/projects/{project_id}/versions/{number}/diff" as const;
      return body(await api.GET(path, { params, signal }));
    },
    staleTime: Infinity,
  });

interface Props {
  project: Project;
  to: number;
  /** The version to compare with; 0 if there is no earlier one. */
  from: number;
}

/** The files that differ between two versions, with the changed lines. */
export function FileChanges({ project, to, from }: Props) {
  if (project.newestVersion === 1) {
    return (
      <Card title="Version 1">
        <p className="p-4 text-ink-soft">
          This is the only version. Upload the project again after a change to compare the two.
        </p>
      </Card>
    );
  }
  const compared = from < 1 || from === to ? (to === 1 ? 2 : to - 1) : from;
  return (
    <Card title={`Version ${to}`}>
      <div className="grid gap-4 p-4">
        <CompareWith newest={project.newestVersion} to={to} from={compared} />
        <Changes projectId={project.id} to={to} from={compared} />
      </div>
    </Card>
  );
}

function CompareWith({ newest, to, from }: { newest: number; to: number; from: number }) {
  const id = useId();
  const navigate = route.useNavigate();
  const compare = (next: number) =>
    void navigate({ search: (search) => ({ ...search, from: next }), resetScroll: false });
  const others = Array.from({ length: newest }, (_, index) => newest - index).filter(
    (number) => number !== to,
  );
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label htmlFor={id} className="text-ink-soft">
        Compared with
      </label>
      <Select
        id={id}
        className="w-auto"
        value={from}
        onChange={(event) => compare(Number(event.target.value))}
      >
        {others.map((number) => (
          <option key={number} value={number}>
            Version {number}
          </option>
        ))}
      </Select>
    </div>
  );
}

function Changes({ projectId, to, from }: { projectId: string; to: number; from: number }) {
  const diff = useQuery(projectDiffQuery(projectId, from, to));
  if (diff.isPending) return <SkeletonRows rows={4} className="p-0" />;
  if (diff.isError) return <ErrorPanel error={diff.error} onRetry={() => diff.refetch()} />;
  const { files, truncated } = diff.data;
  if (files.length === 0) return <p className="text-ink-soft">Both versions have equal files.</p>;
  return (
    <>
      <ul aria-label="Changed files" className="grid gap-2">
        {files.map((file) => (
          <li key={file.path}>
            <FileChange file={file} from={from} to={to} isOpen={files.length <= 3} />
          </li>
        ))}
      </ul>
      {truncated && (
        <p className="text-ink-soft">Only the first 100 files show their changed lines.</p>
      )}
    </>
  );
}

const KINDS: Record<ProjectFileChange["kind"], Tone> = {
  added: "ok",
  removed: "err",
  changed: "accent",
};

interface ChangeProps {
  file: ProjectFileChange;
  from: number;
  to: number;
  isOpen: boolean;
}

function FileChange({ file: { path, kind, text }, from, to, isOpen }: ChangeProps) {
  return (
    <details open={isOpen} className="rounded-md border">
      <summary className="cursor-pointer px-3 py-2">
        <code className="font-mono text-[13px] break-all">{path}</code>{" "}
        <Badge tone={KINDS[kind]}>{kind}</Badge>
      </summary>
      <div className="border-t p-2">
        {text ? (
          <DiffTable diff={text} from={from} to={to} />
        ) : (
          <p className="px-1 text-ink-soft">The changed lines cannot be shown.</p>
        )}
      </div>
    </details>
  );
}
