import { Link } from "@tanstack/react-router";
import { Copy, Download, Ellipsis, FolderArchive, SquarePen, Trash2 } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { WorkflowSummary } from "@/lib/api/types";

import type { WorkflowActions } from "./use-workflow-actions";

interface Props {
  workflow: WorkflowSummary;
  actions: WorkflowActions;
  onDelete: () => void;
}

/** Further actions for a workflow in the list. */
export function WorkflowRowMenu({ workflow, actions, onDelete }: Props) {
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="icon-sm" busy={actions.pendingId === workflow.id}>
          {actions.pendingId !== workflow.id && <Ellipsis aria-hidden />}
          <span className="sr-only">More actions for {workflow.name}</span>
        </Button>
      }
    >
      <MenuItem asChild>
        <Link to="/workflows/$workflowId" params={{ workflowId: workflow.id }}>
          <SquarePen aria-hidden />
          Open
        </Link>
      </MenuItem>
      <Allowed scope="workflows:write">
        <MenuItem onSelect={() => actions.duplicate(workflow)}>
          <Copy aria-hidden />
          Duplicate
        </MenuItem>
      </Allowed>
      <MenuItem onSelect={() => actions.download(workflow, "yaml")}>
        <Download aria-hidden />
        Export as YAML
      </MenuItem>
      <MenuItem onSelect={() => actions.download(workflow, "crewai")}>
        <FolderArchive aria-hidden />
        Export as a CrewAI project
      </MenuItem>
      <Allowed scope="workflows:write">
        <MenuSeparator />
        <MenuItem danger onSelect={onDelete}>
          <Trash2 aria-hidden />
          Delete…
        </MenuItem>
      </Allowed>
    </Menu>
  );
}
