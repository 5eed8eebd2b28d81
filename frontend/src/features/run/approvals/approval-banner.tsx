import { ChevronDown, UserRoundCheck } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { useNow } from "@/hooks/use-now";
import type { Approval } from "@/lib/api/types";
import { cn } from "@/lib/cn";

import { Banner } from "../banners/banner";
import { previewMarkdown } from "../output/parse-output";

import { ApprovalCard } from "./approval-card";
import { expiryLabel } from "./approval-labels";

/** An open approval request; the form is shown only on request. */
export function ApprovalBanner({ approval }: { approval: Approval }) {
  const [isOpen, setOpen] = useState(false);
  const now = useNow(15_000);
  return (
    <Banner
      tone="warn"
      icon={UserRoundCheck}
      title={`${approval.agent ?? "The crew"} requests approval for ${approval.taskKey}`}
      detail={
        <span>
          {!isOpen && <q className="break-words">{previewMarkdown(approval.output, 100)}</q>}{" "}
          <span className="text-xs whitespace-nowrap">{expiryLabel(approval, now)}</span>
        </span>
      }
      actions={
        <Button
          variant={isOpen ? "outline" : "primary"}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? "Collapse" : "Review"}
          <ChevronDown aria-hidden className={cn(isOpen && "rotate-180")} />
        </Button>
      }
    >
      {isOpen && <ApprovalCard approval={approval} level={2} hideHeader />}
    </Banner>
  );
}
