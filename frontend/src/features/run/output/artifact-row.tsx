import { useMutation } from "@tanstack/react-query";
import { Download, FileText } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { api, body } from "@/lib/api/client";
import type { Artifact } from "@/lib/api/types";
import { downloadFile } from "@/lib/download-file";

import { formatFileSize } from "@/lib/format-file-size";

interface Props {
  runId: string;
  /** The file's name without folders: browsers do not save a file into one. */
  name: string;
  file: Artifact;
}

/** A file with a button that downloads it. */
export function ArtifactRow({ runId, name, file }: Props) {
  const download = useMutation({
    mutationFn: async () => downloadFile(name, await fetchArtifact(runId, file.name)),
  });
  const facts = [file.taskKey, file.mediaType, formatFileSize(file.size)].filter(Boolean);
  return (
    <li className="grid gap-2 px-4 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <FileText aria-hidden className="size-4 shrink-0 text-ink-faint" />
        <span className="min-w-0 flex-1 basis-40 font-medium break-words">{name}</span>
        <span className="text-xs text-ink-soft">{facts.join(" · ")}</span>
        <Button size="sm" busy={download.isPending} onClick={() => download.mutate()}>
          <Download aria-hidden />
          Download <span className="sr-only">{file.name}</span>
        </Button>
      </div>
      {download.isError && <ErrorPanel error={download.error} />}
    </li>
  );
}

async function fetchArtifact(runId: string, name: string): Promise<Blob> {
  const response = await api.GET("/api/v1/runs/{run_id}/artifacts/{name}", {
    params: { path: { run_id: runId, name } },
    parseAs: "blob",
  });
  return body(response) as unknown as Blob;
}
