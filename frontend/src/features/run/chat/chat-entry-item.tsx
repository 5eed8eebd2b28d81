import { Bot, Check, CheckCheck, CircleAlert, Clock, Pencil, RotateCw, Send } from "lucide-react";

import { Markdown } from "@/components/markdown/markdown";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { cn } from "@/lib/cn";
import { formatDateTime } from "@/lib/format";
import { useIsShared } from "@/lib/rights";

import type { ChatEntry, DeliveryStep, Reply } from "./chat-entries";

interface Props {
  entry: ChatEntry;
  onEdit: () => void;
  onRetry: () => void;
}

/** A user message with its delivery status and replies. */
export function ChatEntryItem({ entry, onEdit, onRetry }: Props) {
  const isShared = useIsShared();
  return (
    <li className="grid gap-3">
      <div className="grid justify-items-end gap-1">
        <p className="text-xs text-ink-faint">
          {(isShared && entry.createdBy) || "You"}
          {entry.agent && <> to {entry.agent}</>} · <TimeAgo at={entry.at} />
        </p>
        <p
          dir="auto"
          className="max-w-[85%] rounded-lg rounded-tr-sm bg-accent-soft px-3 py-2 break-words whitespace-pre-wrap"
        >
          {entry.text}
        </p>
        <DeliveryStatus steps={entry.delivery} />
      </div>
      {entry.replies.map((reply, index) => (
        <ReplyBubble key={index} reply={reply} />
      ))}
      {entry.error && <EntryError entry={entry} onEdit={onEdit} onRetry={onRetry} />}
    </li>
  );
}

const ICONS = {
  sending: Send,
  queued: Clock,
  delivered: Check,
  answered: CheckCheck,
  undelivered: CircleAlert,
};

function DeliveryStatus({ steps }: { steps: DeliveryStep[] }) {
  return (
    <ul
      aria-label="Delivery status"
      className="flex flex-wrap justify-end gap-x-3 gap-y-0.5 text-xs text-ink-soft empty:hidden"
    >
      {steps.map((step, index) => (
        <DeliveryStepItem key={step.state} step={step} isLast={index === steps.length - 1} />
      ))}
    </ul>
  );
}

function DeliveryStepItem({ step, isLast }: { step: DeliveryStep; isLast: boolean }) {
  const Icon = ICONS[step.state];
  const colour = { answered: "text-ok", undelivered: "text-warn" }[step.state as string];
  return (
    <li
      title={step.at ? formatDateTime(step.at) : undefined}
      className={cn("inline-flex items-center gap-1", isLast ? colour : "text-ink-faint")}
    >
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {step.label}
    </li>
  );
}

function ReplyBubble({ reply }: { reply: Reply }) {
  return (
    <div className="grid max-w-[92%] justify-items-start gap-1 justify-self-start">
      <p className="flex flex-wrap items-center gap-x-1.5 text-xs text-ink-faint">
        <Bot aria-hidden className="size-3.5" />
        <span className="font-medium text-ink-soft">{reply.from}</span>
        {reply.source && <span>{reply.source}</span>}
        {reply.at && (
          <span>
            · <TimeAgo at={reply.at} />
          </span>
        )}
      </p>
      <div className="flex max-w-full min-w-0 items-end gap-1">
        <div className="min-w-0 rounded-lg rounded-tl-sm border bg-surface px-3 py-2">
          <Markdown text={reply.text} level={2} />
          {reply.isStreaming && (
            <span className="inline-flex items-center gap-1 text-xs text-live">
              <span aria-hidden className="h-3.5 w-1.5 animate-pulse bg-live" />
              Replying…
            </span>
          )}
        </div>
        {!reply.isStreaming && (
          <CopyButton text={reply.text} label={`Copy reply from ${reply.from}`} />
        )}
      </div>
    </div>
  );
}

function EntryError({ entry, onEdit, onRetry }: Props) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center justify-end gap-x-2 gap-y-1 text-right text-xs text-err"
    >
      <CircleAlert aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 break-words">
        {entry.unsentId ? "Not sent" : "No reply"}: {entry.error}
      </span>
      {entry.unsentId && (
        <Button size="sm" variant="ghost" onClick={onEdit}>
          <Pencil aria-hidden />
          Edit
        </Button>
      )}
      <Button size="sm" onClick={onRetry}>
        <RotateCw aria-hidden />
        {entry.unsentId ? "Retry" : "Ask again"}
      </Button>
    </div>
  );
}
