import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import type { Workflow } from "@/lib/api/types";

interface Props {
  workflow: Workflow;
  /** Why a run cannot be started; null when it can. */
  disabledReason: string | null;
}

/** Opens the page that starts a run. */
export function RunLink({ workflow, disabledReason }: Props) {
  if (disabledReason === null) {
    return (
      <Button asChild>
        <Link to="/workflows/$workflowId/run" params={{ workflowId: workflow.id }}>
          <Play aria-hidden />
          Run…
        </Link>
      </Button>
    );
  }
  return (
    <span className="flex items-center gap-2">
      <span className="text-xs text-ink-soft">{disabledReason}</span>
      <Tooltip text={disabledReason}>
        <Button aria-disabled>
          <Play aria-hidden />
          Run…
        </Button>
      </Tooltip>
    </span>
  );
}
