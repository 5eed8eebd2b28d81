import { CircleCheck } from "lucide-react";

import { Button } from "@/components/ui/button";
import type { Approval } from "@/lib/api/types";
import { previewText } from "@/lib/format";
import { useIsShared } from "@/lib/rights";

import { Banner } from "../banners/banner";

import { outcomeLabel } from "./approval-labels";

/** Confirms a recent answer to an approval request. */
export function ResolvedApprovalBanner({
  approval,
  onDismiss,
}: {
  approval: Approval;
  onDismiss: () => void;
}) {
  const isShared = useIsShared();
  return (
    <Banner
      tone="live"
      icon={CircleCheck}
      title={`${outcomeLabel(approval, isShared)}: ${approval.taskKey ?? "the project's question"}`}
      detail={approval.feedback ? <q>{previewText(approval.feedback, 160)}</q> : undefined}
      actions={
        <Button size="sm" onClick={onDismiss}>
          Dismiss
        </Button>
      }
    />
  );
}
