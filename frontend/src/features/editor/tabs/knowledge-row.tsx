import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, RotateCw, Trash2 } from "lucide-react";

import { TimeAgo } from "@/components/time-ago";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { api } from "@/lib/api/client";
import type { KnowledgeFile } from "@/lib/api/types";
import { downloadFile } from "@/lib/download-file";
import { pluralize } from "@/lib/format";
import { formatFileSize } from "@/lib/format-file-size";
import { isEmbedding, knowledgeKeys } from "@/lib/queries/knowledge";
import { useCan } from "@/lib/rights";
import { toast } from "@/lib/toast";

interface Props {
  workflowId: string;
  file: KnowledgeFile;
  onDelete: () => void;
}

const STATES: Record<KnowledgeFile["state"], { label: string; tone: Tone }> = {
  queued: { label: "Queued", tone: "idle" },
  embedding: { label: "Embedding", tone: "live" },
  ready: { label: "Ready", tone: "ok" },
  failed: { label: "Failed", tone: "err" },
};

/** A file with its state, and what can be done with it. */
export function KnowledgeRow({ workflowId, file, onDelete }: Props) {
  const canWrite = useCan("workflows:write");
  const { label, tone } = STATES[file.state];
  return (
    <li className="grid gap-1 px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 flex-1 basis-48 truncate font-medium" title={file.name}>
          {file.name}
        </span>
        <Badge tone={tone}>{label}</Badge>
        <span className="text-xs text-ink-soft">{formatFileSize(file.size)}</span>
        <FileActions {...{ workflowId, file, onDelete, canWrite }} />
      </div>
      <Details file={file} canWrite={canWrite} />
    </li>
  );
}

function Details({ file, canWrite }: { file: KnowledgeFile; canWrite: boolean }) {
  if (file.state === "failed") return <p className="wrap-anywhere text-err">{file.error}</p>;
  if (isEmbedding(file)) {
    return (
      <progress
        aria-label={`Embedding ${file.name}`}
        className="h-1.5 w-full accent-(--accent)"
        max={Math.max(1, file.chunks)}
        value={file.chunks > 0 ? file.embeddedChunks : undefined}
      />
    );
  }
  if (file.isOutdated) {
    return (
      <p className="text-warn">
        The embedding model has changed since. The next run embeds this file again
        {canWrite ? ", or do it now." : "."}
      </p>
    );
  }
  return (
    <p className="text-xs text-ink-faint">
      {pluralize(file.chunks, "piece")}, added by {file.createdByName}{" "}
      <TimeAgo at={file.createdAt} />
    </p>
  );
}

function FileActions({ workflowId, file, onDelete, canWrite }: Props & { canWrite: boolean }) {
  const embed = useEmbed(workflowId, file);
  const download = useDownload(workflowId, file);
  const canEmbed = canWrite && (file.state === "failed" || file.isOutdated);
  return (
    <div className="flex items-center gap-1">
      {canEmbed && (
        <Button size="sm" busy={embed.isPending} onClick={() => embed.mutate()}>
          <RotateCw aria-hidden />
          Embed again
        </Button>
      )}
      <IconButton
        label={`Download ${file.name}`}
        busy={download.isPending}
        onClick={() => download.mutate()}
      >
        <Download aria-hidden />
      </IconButton>
      {canWrite && (
        <IconButton label={`Delete ${file.name}`} onClick={onDelete}>
          <Trash2 aria-hidden />
        </IconButton>
      )}
    </div>
  );
}

function useEmbed(workflowId: string, file: KnowledgeFile) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/workflows/{workflow_id}/knowledge/{knowledge_file_id}/embed", {
        params: { path: { workflow_id: workflowId, knowledge_file_id: file.id } },
      });
    },
    onError: () => toast.error(`${file.name} could not be queued. Try again.`),
    onSettled: () => queryClient.invalidateQueries({ queryKey: knowledgeKeys.files(workflowId) }),
  });
}

function useDownload(workflowId: string, file: KnowledgeFile) {
  return useMutation({
    mutationFn: async () => {
      const { data } = await api.GET(
        "/api/v1/workflows/{workflow_id}/knowledge/{knowledge_file_id}/content",
        {
          params: { path: { workflow_id: workflowId, knowledge_file_id: file.id } },
          parseAs: "blob",
        },
      );
      downloadFile(file.name, data as Blob);
    },
    onError: () => toast.error(`${file.name} could not be downloaded. Try again.`),
  });
}
