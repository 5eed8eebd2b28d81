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
import { useCan, useIsShared } from "@/lib/rights";

import { OutputView, type OutputMode } from "../output/output-view";
import { parseOutput } from "../output/parse-output";

import { ApprovalForm } from "./approval-form";
import { addresseeLabel, expiryLabel, outcomeLabel, requestTitle } from "./approval-labels";
import { ArgumentChanges } from "./argument-changes";
import { QuestionForm } from "./question-form";
import { ToolCallForm } from "./tool-call-form";
import { ToolQuestionForm } from "./tool-question-form";

interface Props {
  approval: Approval;
  /** Heading level of the card. */
  level?: 2 | 3;
  /** The parent already shows agent and task. */
  hideHeader?: boolean;
  className?: string;
}

/** An approval request or question, and the form to answer it or the answer given. */
export function ApprovalCard({ approval, level = 3, hideHeader, className }: Props) {
  const id = useId();
  const Heading = `h${level}` as const;
  const isOpen = approval.status === "open";
  return (
    <section
      {...(hideHeader ? { "aria-label": requestTitle(approval) } : { "aria-labelledby": id })}
      className={cn("min-w-0 overflow-hidden rounded-lg border bg-surface", className)}
    >
      {!hideHeader && (
        <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2">
          <Heading id={id} className="font-semibold">
            {requestTitle(approval)}
          </Heading>
          <OutcomeBadge approval={approval} />
          {isOpen && <Expiry approval={approval} />}
        </header>
      )}
      {(approval.kind === "question" || approval.kind === "tool_question") && (
        <Question approval={approval} />
      )}
      {approval.output && <Proposal approval={approval} level={hideHeader ? level : level + 1} />}
      {isOpen && <Addressee approval={approval} />}
      {isOpen ? approval.mayAnswer && <Form approval={approval} /> : <Answer approval={approval} />}
    </section>
  );
}

/** Who is asked, if not everyone, and why there is no form for others. */
function Addressee({ approval }: { approval: Approval }) {
  const addressee = addresseeLabel(approval);
  if (!addressee) return null;
  return (
    <p className="border-t px-4 py-2 text-ink-soft">
      Addressed to {addressee}.
      {!approval.mayAnswer && " Only they and the owners of the workspace may answer it."}
    </p>
  );
}

function Form({ approval }: { approval: Approval }) {
  if (!useCan("approvals:write")) return <NotYours />;
  if (approval.kind === "question") return <QuestionForm approval={approval} />;
  if (approval.kind === "tool_call") return <ToolCallForm approval={approval} />;
  if (approval.kind === "tool_question") return <ToolQuestionForm approval={approval} />;
  return <ApprovalForm approval={approval} />;
}

function NotYours() {
  return (
    <p className="border-t bg-sunken px-4 py-3 text-ink-soft">
      Your role does not answer requests. An operator, editor or owner can.
    </p>
  );
}

function Question({ approval }: { approval: Approval }) {
  return (
    <p
      dir="auto"
      className="max-h-[32dvh] overflow-y-auto px-4 py-3 break-words whitespace-pre-wrap"
    >
      {approval.prompt || "The code waits for a line of input and prints no question."}
    </p>
  );
}

const STYLES: Record<Approval["status"], { tone: Tone; Icon: LucideIcon }> = {
  open: { tone: "warn", Icon: UserRoundCheck },
  approved: { tone: "ok", Icon: CircleCheck },
  revised: { tone: "live", Icon: Undo2 },
  answered: { tone: "ok", Icon: CircleCheck },
  rejected: { tone: "err", Icon: CircleX },
  expired: { tone: "err", Icon: Clock },
  cancelled: { tone: "idle", Icon: CircleX },
};

function OutcomeBadge({ approval }: { approval: Approval }) {
  const isShared = useIsShared();
  const { tone, Icon } = STYLES[approval.status];
  return (
    <Badge tone={tone} className="whitespace-normal">
      <Icon aria-hidden />
      {outcomeLabel(approval, isShared)}
    </Badge>
  );
}

function Expiry({ approval }: { approval: Approval }) {
  const now = useNow(15_000);
  return (
    <p
      className="ml-auto text-xs text-ink-soft max-sm:ml-0"
      title={formatDateTime(approval.expiresAt)}
    >
      {expiryLabel(approval, now)}
    </p>
  );
}

/** The output that a review or a question is about. */
function Proposal({ approval, level }: { approval: Approval; level: number }) {
  const [mode, setMode] = useState<OutputMode>("formatted");
  const label = approval.kind === "review" ? "Proposed output" : "The output in question";
  return (
    <div>
      <div className="flex items-center justify-between gap-2 px-4 pt-2">
        <p className="text-xs text-ink-soft">{label}</p>
        <Button
          size="sm"
          variant="ghost"
          aria-pressed={mode === "raw"}
          onClick={() => setMode(mode === "raw" ? "formatted" : "raw")}
        >
          <Code aria-hidden />
          Raw
        </Button>
      </div>
      <div
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
        tabIndex={0}
        role="group"
        aria-label={label}
        className="max-h-[32dvh] overflow-y-auto px-4 py-2 focus-visible:-outline-offset-2"
      >
        <OutputView output={parseOutput({ raw: approval.output })} mode={mode} level={level} />
      </div>
    </div>
  );
}

function Answer({ approval }: { approval: Approval }) {
  const isShared = useIsShared();
  return (
    <div className="grid gap-1 border-t bg-sunken px-4 py-2 text-ink-soft">
      {approval.editedArguments && (
        <ArgumentChanges
          label={approval.kind === "tool_question" ? "Answer" : undefined}
          before={approval.arguments ?? {}}
          after={approval.editedArguments}
        />
      )}
      {approval.forRun && <p>Every later call of {approval.tool} in this run is allowed.</p>}
      {approval.feedback && (
        <blockquote dir="auto" className="border-l-2 border-line-strong pl-3 whitespace-pre-wrap">
          {approval.feedback}
        </blockquote>
      )}
      {approval.resolvedAt && (
        <p className="text-xs">
          {outcomeLabel(approval, isShared)} · <TimeAgo at={approval.resolvedAt} />
        </p>
      )}
    </div>
  );
}
