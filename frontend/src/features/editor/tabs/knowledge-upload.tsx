import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { FileDrop } from "@/components/file-drop";
import type { KnowledgeUpload as Uploaded } from "@/lib/api/types";
import { uploadFile } from "@/lib/api/upload";
import { pluralize } from "@/lib/format";
import { formatFileSize } from "@/lib/format-file-size";
import { knowledgeKeys } from "@/lib/queries/knowledge";
import { toast } from "@/lib/toast";

import { ACCEPTED, createForm } from "./knowledge-files";

interface Props {
  workflowId: string;
  limits: { maxFileBytes: number };
}

/** Uploads files for the agents to search. */
export function KnowledgeUpload({ workflowId, limits }: Props) {
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState(0);
  const upload = useMutation({
    mutationFn: (files: File[]) => {
      const created = createForm(files, limits.maxFileBytes);
      if ("problem" in created) throw new Error(created.problem);
      setProgress(0);
      return uploadFile<Uploaded>({
        path: `/api/v1/workflows/${workflowId}/knowledge`,
        body: created.form,
        onProgress: setProgress,
      });
    },
    onSuccess: async ({ files, duplicates }) => {
      const added = files.length - duplicates.length;
      if (added > 0) toast.success(`${pluralize(added, "file")} added`);
      if (duplicates.length > 0) {
        toast.plain(`${duplicates.join(", ")}: the workflow has this content already.`);
      }
      await queryClient.invalidateQueries({ queryKey: knowledgeKeys.files(workflowId) });
    },
  });
  return (
    <div className="grid gap-2">
      <FileDrop
        label="Add knowledge files"
        accept={ACCEPTED.join(",")}
        disabled={upload.isPending}
        onFiles={(files) => upload.mutate(files)}
      >
        Text, Markdown, PDF, CSV or JSON, up to {formatFileSize(limits.maxFileBytes)} each. A file
        replaces the one with the same name.
      </FileDrop>
      {upload.isPending && (
        <progress
          aria-label="Upload"
          className="h-1.5 w-full accent-(--accent)"
          max={1}
          value={progress}
        />
      )}
      {upload.isError && <ErrorPanel error={upload.error} />}
    </div>
  );
}
