import { Bot, Check, CheckCheck, CircleAlert, Clock, Pencil, RotateCw, Send } from "lucide-react";

import { Markdown } from "@/components/markdown/markdown";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { cn } from "@/lib/cn";
import { formatDateTime } from "@/lib/format";

import type { Line, Receipt, Reply } from "./chat-entries";

interface Props {
  line: Line;
  onEdit: () => void;
  onSendAgain: () => void;
}

/** A person's message, what became of it, and the replies. */
export function ChatLine({ line, onEdit, onSendAgain }: Props) {
  return (
    <li className="grid gap-3">
      <div className="grid justify-items-end gap-1">
        <p className="text-xs text-ink-faint">
          {line.by ?? "You"}
          {line.agent && <> to {line.agent}</>} · <TimeAgo at={line.at} />
        </p>
        <p
          dir="auto"
          className="max-w-[85%] rounded-lg rounded-tr-sm bg-accent-soft px-3 py-2 break-words whitespace-pre-wrap"
        >
          {line.text}
        </p>
        <Receipts receipts={line.receipts} />
      </div>
      {line.replies.map((reply, index) => (
        <ReplyBubble key={index} reply={reply} />
      ))}
      {line.problem && <Trouble line={line} onEdit={onEdit} onSendAgain={onSendAgain} />}
    </li>
  );
}

const ICONS = {
  sending: Send,
  queued: Clock,
  delivered: Check,
  answered: CheckCheck,
  lost: CircleAlert,
};

function Receipts({ receipts }: { receipts: Receipt[] }) {
  return (
    <ul
      aria-label="What became of it"
      className="flex flex-wrap justify-end gap-x-3 gap-y-0.5 text-xs text-ink-soft empty:hidden"
    >
      {receipts.map((receipt, index) => (
        <ReceiptMark key={receipt.state} receipt={receipt} last={index === receipts.length - 1} />
      ))}
    </ul>
  );
}

function ReceiptMark({ receipt, last }: { receipt: Receipt; last: boolean }) {
  const Icon = ICONS[receipt.state];
  const tone = { answered: "text-ok", lost: "text-warn" }[receipt.state as string];
  return (
    <li
      title={receipt.at ? formatDateTime(receipt.at) : undefined}
      className={cn("inline-flex items-center gap-1", last ? tone : "text-ink-faint")}
    >
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {receipt.words}
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
          {reply.streaming && (
            <span className="inline-flex items-center gap-1 text-xs text-live">
              <span aria-hidden className="h-3.5 w-1.5 animate-pulse bg-live" />
              Answering…
            </span>
          )}
        </div>
        {!reply.streaming && (
          <CopyButton text={reply.text} label={`Copy the answer of ${reply.from}`} />
        )}
      </div>
    </div>
  );
}

/** What went wrong, at the message it went wrong with; its text is kept. */
function Trouble({ line, onEdit, onSendAgain }: Props) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center justify-end gap-x-2 gap-y-1 text-right text-xs text-err"
    >
      <CircleAlert aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 break-words">
        {line.unsent ? "Not sent" : "No answer came"}: {line.problem}
      </span>
      {line.unsent && (
        <Button size="sm" variant="ghost" onClick={onEdit}>
          <Pencil aria-hidden />
          Edit
        </Button>
      )}
      <Button size="sm" onClick={onSendAgain}>
        <RotateCw aria-hidden />
        {line.unsent ? "Send again" : "Ask again"}
      </Button>
    </div>
  );
}
