import { useMutation, useQuery } from "@tanstack/react-query";
import { Download, FileText } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { api, body } from "@/lib/api/client";
import type { Artifact, Run } from "@/lib/api/types";
import { runArtifactsQuery } from "@/lib/queries/runs";
import { downloadFile } from "@/lib/download-file";

import { formatFileSize } from "./format-file-size";

/** The files written by the run's tasks; renders nothing if no task writes files. */
export function ArtifactList({ run }: { run: Run }) {
  const artifacts = useQuery(runArtifactsQuery(run.id));
  const writesFiles = run.definition.tasks.some((task) => task.outputFile);
  if (artifacts.isError) {
    return <ErrorPanel error={artifacts.error} onRetry={() => void artifacts.refetch()} />;
  }
  const files = artifacts.data ?? [];
  if (files.length === 0 && !writesFiles) return null;
  return (
    <Card title="Files">
      {files.length === 0 ? (
        <p className="p-4 text-ink-soft">
          Files appear here when the tasks that write them finish.
        </p>
      ) : (
        <ul className="divide-y">
          {files.map((file) => (
            <ArtifactRow key={file.name} runId={run.id} file={file} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function ArtifactRow({ runId, file }: { runId: string; file: Artifact }) {
  const download = useMutation({
    mutationFn: async () =>
      downloadFile(baseName(file.name), await fetchArtifact(runId, file.name)),
  });
  return (
    <li className="grid gap-2 px-4 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <FileText aria-hidden className="size-4 shrink-0 text-ink-faint" />
        <span className="min-w-0 flex-1 basis-40 font-medium break-words">{file.name}</span>
        <span className="text-xs text-ink-soft">
          {file.taskKey} · {file.mediaType} · {formatFileSize(file.size)}
        </span>
        <Button size="sm" busy={download.isPending} onClick={() => download.mutate()}>
          <Download aria-hidden />
          Download <span className="sr-only">{file.name}</span>
        </Button>
      </div>
      {download.isError && <ErrorPanel error={download.error} />}
    </li>
  );
}

/** Returns the file's name without folders: browsers do not save a file into one. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function fetchArtifact(runId: string, name: string): Promise<Blob> {
  const response = await api.GET("/api/v1/runs/{run_id}/artifacts/{name}", {
    params: { path: { run_id: runId, name } },
    parseAs: "blob",
  });
  return body(response) as unknown as Blob;
}
