import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";

import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { pluralize } from "@/lib/format";
import type { Workflow } from "@/lib/api/types";

import { Verdict } from "../yaml/problems-panel";
import type { Judgement } from "../model/use-checked";

/** Beside the name: which version, whether it is saved, whether it is valid. */
export function Heading({
  name,
  workflow,
  changed,
  judgement,
}: {
  name: string;
  workflow: Workflow;
  changed: boolean;
  judgement: Judgement;
}) {
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span className="min-w-0 break-words">{name}</span>
      <span className="flex flex-wrap items-center gap-2 text-sm font-normal">
        <Badge>Version {workflow.version}</Badge>
        <Badge tone={changed ? "warn" : "ok"}>{changed ? "Unsaved changes" : "Saved"}</Badge>
        <Verdict problems={judgement.problems} judged={judgement.judged || judgement.unasked} />
        {judgement.unasked && (
          <span className="text-xs text-ink-soft">Checked in the browser only</span>
        )}
      </span>
    </span>
  );
}

/** Leads to the launch page; when it cannot, it says why in sight and in its tooltip. */
export function RunLink({ workflow, reason }: { workflow: Workflow; reason: string | null }) {
  if (reason === null) {
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
      <span className="text-xs text-ink-soft">{reason}</span>
      <Tooltip text={reason}>
        <Button aria-disabled>
          <Play aria-hidden />
          Run…
        </Button>
      </Tooltip>
    </span>
  );
}

export function runReason(changed: boolean, errors: number): string | null {
  if (errors > 0) return `Mend ${pluralize(errors, "problem")} to run`;
  return changed ? "Save to run" : null;
}

export function saveReason(changed: boolean, errors: number): string | null {
  if (!changed) return "Nothing to save";
  return errors > 0 ? `Mend ${pluralize(errors, "problem")} to save; the draft stays here` : null;
}
