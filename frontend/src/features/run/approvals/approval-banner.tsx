import { ChevronDown, UserRoundCheck } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { useNow } from "@/hooks/use-now";
import type { Approval } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { useCan } from "@/lib/rights";

import { Banner } from "../banners/banner";
import { previewMarkdown } from "../output/parse-output";

import { ApprovalCard } from "./approval-card";
import { expiryLabel, requestTitle } from "./approval-labels";

/** An open approval request or question; the form is shown only on request. */
export function ApprovalBanner({ approval }: { approval: Approval }) {
  const [isOpen, setOpen] = useState(false);
  const now = useNow(15_000);
  const canAnswer = useCan("approvals:write") && approval.mayAnswer;
  const isQuestion = approval.kind === "question";
  const call = approval.arguments && JSON.stringify(approval.arguments);
  const subject = call ?? (approval.prompt || approval.output || "It waits for input.");
  return (
    <Banner
      tone="warn"
      icon={UserRoundCheck}
      title={requestTitle(approval)}
      detail={
        <span>
          {!isOpen && <q className="break-words">{previewMarkdown(subject, 200)}</q>}{" "}
          <span className="text-xs whitespace-nowrap">{expiryLabel(approval, now)}</span>
        </span>
      }
      actions={
        <Button
          variant={isOpen || !canAnswer ? "outline" : "primary"}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? "Collapse" : !canAnswer ? "Show" : isQuestion ? "Answer" : "Review"}
          <ChevronDown aria-hidden className={cn(isOpen && "rotate-180")} />
        </Button>
      }
    >
      {isOpen && <ApprovalCard approval={approval} level={2} hideHeader />}
    </Banner>
  );
}
