import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";

import type { ProjectUpload } from "@/lib/api/types";
import { uploadFile } from "@/lib/api/upload";
import { chooseArchive } from "@/lib/project-archive";
import { projectKeys } from "@/lib/queries/projects";
import { createRandomKey } from "@/lib/random-key";

/** Uploads a zip as a new project, or as the next version of one, and opens the project. */
export function useUploadProject(projectId?: string) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [progress, setProgress] = useState(0);
  // The same file is sent with the same key, so that a retry after a lost answer adds nothing twice.
  const sent = useRef<{ file: File; key: string } | null>(null);
  const path = projectId ? `/api/v1/projects/${projectId}/versions` : "/api/v1/projects";

  const upload = useMutation({
    mutationFn: async (files: readonly File[]) => {
      const chosen = chooseArchive(files);
      if ("problem" in chosen) throw new UploadRefused(chosen.problem);
      const { file } = chosen;
      if (sent.current?.file !== file) sent.current = { file, key: createRandomKey() };
      setProgress(0);
      return uploadFile<ProjectUpload>({
        path,
        file,
        contentType: "application/zip",
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
      await navigate({
        to: "/projects/$projectId",
        params: { projectId: project.id },
        search: {},
      });
    },
  });
  return { upload, progress };
}

/** The chosen files were not sent. */
export class UploadRefused extends Error {
  override readonly name = "UploadRefused";
}
