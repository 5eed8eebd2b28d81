import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy, Download, Ellipsis, FileArchive, Trash2 } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { api } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { Workflow } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";
import { downloadWorkflow, type ExportFormat } from "@/lib/download-workflow";
import { toast } from "@/lib/toast";

import { duplicateWorkflow } from "./duplicate-workflow";

interface Props {
  workflow: Workflow;
  text: string;
  /** Called after the workflow was deleted, before the page is left. */
  onDeleted: () => void;
}

/** Exports, duplicates or deletes the workflow. */
export function WorkflowActionsMenu({ workflow, text, onDeleted }: Props) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [isConfirming, setConfirming] = useState(false);
  const refresh = () => queryClient.invalidateQueries({ queryKey: workflowKeys.all });
  const exportMutation = useMutation({
    mutationFn: (format: ExportFormat) => downloadWorkflow(workflow, format),
    onError: showError,
  });
  const duplicateMutation = useMutation({
    mutationFn: () => duplicateWorkflow(text),
    onError: showError,
    onSuccess: async (copy) => {
      toast.success(`Created ${copy.name}`);
      await refresh();
      await navigate({ to: "/workflows/$workflowId", params: { workflowId: copy.id } });
    },
  });
  const deleteMutation = useMutation({
    mutationFn: () =>
      api.DELETE("/api/v1/workflows/{workflow_id}", {
        params: { path: { workflow_id: workflow.id } },
      }),
    onSuccess: async () => {
      onDeleted();
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
        <MenuItem onSelect={() => exportMutation.mutate("yaml")}>
          <Download aria-hidden />
          Export version {workflow.version} as YAML
        </MenuItem>
        <MenuItem onSelect={() => exportMutation.mutate("crewai")}>
          <FileArchive aria-hidden />
          Export as CrewAI project (zip)
        </MenuItem>
        <Allowed scope="workflows:write">
          <MenuItem onSelect={() => duplicateMutation.mutate()}>
            <Copy aria-hidden />
            Duplicate
          </MenuItem>
          <MenuSeparator />
          <MenuItem danger onSelect={() => setConfirming(true)}>
            <Trash2 aria-hidden />
            Delete…
          </MenuItem>
        </Allowed>
      </Menu>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setConfirming}
        title={`Delete ${workflow.name}?`}
        description={`The workflow and its ${workflow.version === 1 ? "version" : "versions"} are deleted permanently. Its runs are kept.`}
        action="Delete workflow"
        busy={deleteMutation.isPending}
        onConfirm={() => deleteMutation.mutate()}
      >
        {deleteMutation.isError && <ErrorPanel error={deleteMutation.error} className="mt-3" />}
      </ConfirmDialog>
    </>
  );
}

function showError(error: unknown): void {
  const { title, detail } = describeError(error);
  toast.error(detail || title);
}
