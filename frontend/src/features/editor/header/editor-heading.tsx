import { Badge } from "@/components/ui/badge";
import type { Workflow } from "@/lib/api/types";

import type { Validation } from "../model/use-validation";
import { ValidationBadge } from "../yaml/validation-badge";

interface Props {
  name: string;
  workflow: Workflow;
  isChanged: boolean;
  validation: Validation;
}

/** The name of the workflow with its version, whether it is saved and whether it is valid. */
export function EditorHeading({ name, workflow, isChanged, validation }: Props) {
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <span className="min-w-0 break-words">{name}</span>
      <span className="flex flex-wrap items-center gap-2 text-sm font-normal">
        <Badge>Version {workflow.version}</Badge>
        <Badge tone={isChanged ? "warn" : "ok"}>{isChanged ? "Unsaved changes" : "Saved"}</Badge>
        <ValidationBadge problems={validation.problems} status={validation.status} />
      </span>
    </span>
  );
}
