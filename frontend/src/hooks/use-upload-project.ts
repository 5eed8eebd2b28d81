import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";

import type { ProjectUpload } from "@/lib/api/types";
import { uploadFile } from "@/lib/api/upload";
import { createUpload, type ProjectFileSource } from "@/lib/project-upload";
import { projectKeys } from "@/lib/queries/projects";
import { createRandomKey } from "@/lib/random-key";

/**
 * Uploads a zip or a folder and opens the project: a new one where its run is set up, or the next version
 * of `projectId` at its overview.
 */
export function useUploadProject(projectId?: string) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [progress, setProgress] = useState(0);
  // The same files are sent with the same key, so that a retry after a lost answer adds nothing twice.
  const sent = useRef<{ file?: File; count: number; key: string } | null>(null);
  const path = projectId ? `/api/v1/projects/${projectId}/versions` : "/api/v1/projects";

  const upload = useMutation({
    mutationFn: async (chosen: Promise<ProjectFileSource[]> | ProjectFileSource[]) => {
      const files = await chosen;
      const created = createUpload(files);
      if ("problem" in created) throw new UploadRefused(created.problem);
      const [first] = files;
      if (sent.current?.file !== first?.file || sent.current?.count !== files.length)
        sent.current = { file: first?.file, count: files.length, key: createRandomKey() };
      setProgress(0);
      return uploadFile<ProjectUpload>({
        path,
        body: created.body,
        headers: { "Idempotency-Key": sent.current.key },
        onProgress: setProgress,
      });
    },
    onSuccess: async (uploaded) => {
      const { project } = uploaded;
      sent.current = null;
      await queryClient.invalidateQueries({ queryKey: projectKeys.all, refetchType: "none" });
      queryClient.setQueryData(projectKeys.detail(project.id), project);
      queryClient.setQueryData(projectKeys.upload(project.id), uploaded);
      const params = { projectId: project.id };
      await (projectId
        ? navigate({ to: "/projects/$projectId", params, search: {} })
        : navigate({ to: "/projects/$projectId/run", params, search: {} }));
    },
  });
  return { upload, progress };
}

/** The chosen files were not sent. */
export class UploadRefused extends Error {
  override readonly name = "UploadRefused";
}
