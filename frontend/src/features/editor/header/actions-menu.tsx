import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy, Download, Ellipsis, FileArchive, Trash2 } from "lucide-react";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { api } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { Workflow } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

import { duplicate } from "./duplicate";
import { exportWorkflow } from "./export";

interface Props {
  workflow: Workflow;
  text: string;
  /** Forgets the draft, so that leaving asks nothing. */
  onGone: () => void;
}

/** What is done seldom: export, duplicate, delete. */
export function ActionsMenu({ workflow, text, onGone }: Props) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const refresh = () => queryClient.invalidateQueries({ queryKey: workflowKeys.all });
  const exporting = useMutation({
    mutationFn: (format: "yaml" | "crewai") => exportWorkflow(workflow.id, format),
    onError: told,
  });
  const copying = useMutation({
    mutationFn: () => duplicate(text),
    onError: told,
    onSuccess: async (copy) => {
      toast.success(`Made ${copy.name}`);
      await refresh();
      await navigate({ to: "/workflows/$workflowId", params: { workflowId: copy.id } });
    },
  });
  const deleting = useMutation({
    mutationFn: () =>
      api.DELETE("/api/v1/workflows/{workflow_id}", {
        params: { path: { workflow_id: workflow.id } },
      }),
    onSuccess: async () => {
      onGone();
      toast.success(`Deleted ${workflow.name}`);
      await navigate({ to: "/workflows", ignoreBlocker: true });
      queryClient.removeQueries({ queryKey: workflowKeys.detail(workflow.id) });
      await refresh();
    },
  });
  return (
    <>
      <Menu
        trigger={
          <Button variant="outline" size="icon">
            <Ellipsis aria-hidden />
            <span className="sr-only">More actions</span>
          </Button>
        }
      >
        <MenuItem onSelect={() => exporting.mutate("yaml")}>
          <Download aria-hidden />
          Export version {workflow.version} as YAML
        </MenuItem>
        <MenuItem onSelect={() => exporting.mutate("crewai")}>
          <FileArchive aria-hidden />
          Export as CrewAI project (zip)
        </MenuItem>
        <MenuItem onSelect={() => copying.mutate()}>
          <Copy aria-hidden />
          Duplicate
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger onSelect={() => setAsking(true)}>
          <Trash2 aria-hidden />
          Delete…
        </MenuItem>
      </Menu>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Delete ${workflow.name}?`}
        description={`The workflow and its ${workflow.version === 1 ? "version" : "versions"} are deleted for good. Its runs stay.`}
        action="Delete workflow"
        busy={deleting.isPending}
        onConfirm={() => deleting.mutate()}
      >
        {deleting.isError && <ErrorPanel error={deleting.error} className="mt-3" />}
      </ConfirmDialog>
    </>
  );
}

function told(error: unknown): void {
  const { title, detail } = describeError(error);
  toast.error(detail || title);
}
