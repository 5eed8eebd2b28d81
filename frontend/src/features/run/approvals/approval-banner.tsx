import { ChevronDown, CircleCheck, UserRoundCheck } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { useNow } from "@/hooks/use-now";
import type { Approval } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { previewText } from "@/lib/format";

import { ApprovalCard } from "./approval-card";
import { expiry, outcome } from "./approval-labels";
import { BannerBox } from "../banners/banner";
import { teaser } from "../output/parse-output";

/** The run asks a person; the form unfolds in place, and only when it is asked for. */
export function ApprovalBanner({ approval }: { approval: Approval }) {
  const [open, setOpen] = useState(false);
  const now = useNow(15_000);
  return (
    <BannerBox
      tone="warn"
      icon={UserRoundCheck}
      title={`${approval.agent ?? "The crew"} asks you to check ${approval.taskKey}`}
      detail={
        <span>
          {!open && <q className="break-words">{teaser(approval.output, 100)}</q>}{" "}
          <span className="text-xs whitespace-nowrap">{expiry(approval, now)}</span>
        </span>
      }
      actions={
        <Button
          variant={open ? "outline" : "primary"}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? "Fold" : "Answer"}
          <ChevronDown aria-hidden className={cn(open && "rotate-180")} />
        </Button>
      }
    >
      {open && <ApprovalCard approval={approval} level={2} headless />}
    </BannerBox>
  );
}

/** What was answered a moment ago, until the run asks or tells something else. */
export function AnsweredBanner({ approval, onClose }: { approval: Approval; onClose: () => void }) {
  return (
    <BannerBox
      tone="live"
      icon={CircleCheck}
      title={`${outcome(approval)}: ${approval.taskKey}`}
      detail={approval.feedback ? <q>{previewText(approval.feedback, 160)}</q> : undefined}
      actions={
        <Button size="sm" onClick={onClose}>
          Close
        </Button>
      }
    />
  );
}
