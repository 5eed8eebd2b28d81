import {
  CircleCheck,
  CircleX,
  Clock,
  Code,
  Undo2,
  UserRoundCheck,
  type LucideIcon,
} from "lucide-react";
import { useId, useState } from "react";

import { TimeAgo } from "@/components/time-ago";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { useNow } from "@/hooks/use-now";
import type { Approval } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatDateTime } from "@/lib/format";

import { ApprovalForm } from "./approval-form";
import { expiry, outcome } from "./approval-labels";
import { outputOf } from "../output/parse-output";
import { OutputView, type OutputMode } from "../output/output-view";

interface Props {
  approval: Approval;
  /** The level of the card's heading. */
  level?: 2 | 3;
  /** Stands below a line that has said already who asks about what. */
  headless?: boolean;
  className?: string;
}

/** A question of the run to a person: what the agent proposes, and the answer to it. */
export function ApprovalCard({ approval, level = 3, headless, className }: Props) {
  const id = useId();
  const Heading = `h${level}` as const;
  const open = approval.status === "open";
  return (
    <section
      {...(headless
        ? { "aria-label": `Answer about ${approval.taskKey}` }
        : { "aria-labelledby": id })}
      className={cn("min-w-0 overflow-hidden rounded-lg border bg-surface", className)}
    >
      {!headless && (
        <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2">
          <Heading id={id} className="font-semibold">
            {approval.agent ?? "The crew"} asks you about {approval.taskKey}
          </Heading>
          <Outcome approval={approval} />
          {open && <Deadline approval={approval} />}
        </header>
      )}
      <Proposal approval={approval} level={headless ? level : level + 1} />
      {open ? <ApprovalForm approval={approval} /> : <Answer approval={approval} />}
    </section>
  );
}

const LOOKS: Record<Approval["status"], { tone: Tone; Icon: LucideIcon }> = {
  open: { tone: "warn", Icon: UserRoundCheck },
  approved: { tone: "ok", Icon: CircleCheck },
  revised: { tone: "live", Icon: Undo2 },
  rejected: { tone: "err", Icon: CircleX },
  expired: { tone: "err", Icon: Clock },
  cancelled: { tone: "idle", Icon: CircleX },
};

function Outcome({ approval }: { approval: Approval }) {
  const { tone, Icon } = LOOKS[approval.status];
  return (
    <Badge tone={tone} className="whitespace-normal">
      <Icon aria-hidden />
      {outcome(approval)}
    </Badge>
  );
}

function Deadline({ approval }: { approval: Approval }) {
  const now = useNow(15_000);
  return (
    <p
      className="ml-auto text-xs text-ink-soft max-sm:ml-0"
      title={formatDateTime(approval.expiresAt)}
    >
      {expiry(approval, now)}
    </p>
  );
}

function Proposal({ approval, level }: { approval: Approval; level: number }) {
  const [mode, setMode] = useState<OutputMode>("formatted");
  return (
    <div>
      <div className="flex items-center justify-between gap-2 px-4 pt-2">
        <p className="text-xs text-ink-soft">What the agent proposes</p>
        <Button
          size="sm"
          variant="ghost"
          aria-pressed={mode === "raw"}
          onClick={() => setMode(mode === "raw" ? "formatted" : "raw")}
        >
          <Code aria-hidden />
          As written
        </Button>
      </div>
      <div
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls must take focus
        tabIndex={0}
        role="group"
        aria-label="What the agent proposes"
        className="max-h-[32dvh] overflow-y-auto px-4 py-2 focus-visible:-outline-offset-2"
      >
        <OutputView output={outputOf({ raw: approval.output })} mode={mode} level={level} />
      </div>
    </div>
  );
}

/** What was answered, once it is. */
function Answer({ approval }: { approval: Approval }) {
  return (
    <div className="grid gap-1 border-t bg-sunken px-4 py-2 text-ink-soft">
      {approval.feedback && (
        <blockquote dir="auto" className="border-l-2 border-line-strong pl-3 whitespace-pre-wrap">
          {approval.feedback}
        </blockquote>
      )}
      {approval.resolvedAt && (
        <p className="text-xs">
          {outcome(approval)} · <TimeAgo at={approval.resolvedAt} />
        </p>
      )}
    </div>
  );
}
