import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { ProjectUpdate } from "@/lib/api/types";
import { projectKeys } from "@/lib/queries/projects";
import { toast } from "@/lib/toast";

/** Saves settings of a project; fields that are not given keep their value. */
export function useUpdateProject(projectId: string, message: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (changes: ProjectUpdate) => {
      const params = { path: { project_id: projectId } };
      // The generated type requires the fields that have a default.
      const sent = { project: changes as Required<ProjectUpdate> };
      return body(await api.PATCH("/api/v1/projects/{project_id}", { params, body: sent })).project;
    },
    onSuccess: (updated) => {
      queryClient.setQueryData(projectKeys.detail(projectId), updated);
      void queryClient.invalidateQueries({ queryKey: projectKeys.lists() });
      toast.success(message);
    },
  });
}
