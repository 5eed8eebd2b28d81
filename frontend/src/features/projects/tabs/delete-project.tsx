import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { Project } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { projectKeys } from "@/lib/queries/projects";
import { toast } from "@/lib/toast";

/** Deletes the project after a confirmation. */
export function DeleteProject({ project }: { project: Project }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const remove = useMutation({
    mutationFn: async () => {
      const params = { path: { project_id: project.id } };
      await api.DELETE("/api/v1/projects/{project_id}", { params });
    },
    onSuccess: async () => {
      toast.success(`Deleted ${project.name}`);
      await navigate({ to: "/projects" });
      queryClient.removeQueries({ queryKey: projectKeys.detail(project.id) });
      await queryClient.invalidateQueries({ queryKey: projectKeys.lists() });
    },
  });
  return (
    <div className="flex justify-end">
      <Button variant="danger" onClick={() => setOpen(true)}>
        <Trash2 aria-hidden />
        Delete project
      </Button>
      <ConfirmDialog
        open={isOpen}
        onOpenChange={(open) => {
          remove.reset();
          setOpen(open);
        }}
        title={`Delete ${project.name}?`}
        description={`Its ${pluralize(project.newestVersion, "version")}, settings and environment variables are deleted. This cannot be undone. Its finished runs are kept.`}
        action="Delete project"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
      </ConfirmDialog>
    </div>
  );
}
