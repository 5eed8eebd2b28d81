import {
  Ban,
  Bell,
  Bot,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleSlash,
  CircleX,
  ClipboardList,
  LoaderCircle,
  MessageSquare,
  RotateCcw,
  ShieldCheck,
  Sparkles,
  Undo2,
  UserCheck,
  Users,
  Wrench,
  type LucideIcon,
} from "lucide-react";

import { cn } from "@/lib/cn";

import type { SpanKind, SpanState } from "../store/span";

const KIND_STYLES: Record<
  SpanKind,
  { label: string; Icon: LucideIcon; colour: string; bar: string }
> = {
  task: { label: "Task", Icon: ClipboardList, colour: "text-kind-task", bar: "bg-kind-task" },
  agent: { label: "Agent", Icon: Bot, colour: "text-kind-agent", bar: "bg-kind-agent" },
  llm: { label: "LLM call", Icon: Sparkles, colour: "text-kind-llm", bar: "bg-kind-llm" },
  tool: { label: "Tool", Icon: Wrench, colour: "text-kind-tool", bar: "bg-kind-tool" },
  delegation: { label: "Delegation", Icon: Users, colour: "text-kind-agent", bar: "bg-kind-agent" },
  guardrail: { label: "Guardrail", Icon: ShieldCheck, colour: "text-ink-soft", bar: "bg-ink-soft" },
  message: { label: "Message", Icon: MessageSquare, colour: "text-ink-soft", bar: "bg-ink-soft" },
  approval: { label: "Human input", Icon: UserCheck, colour: "text-warn", bar: "bg-warn" },
  note: { label: "Note", Icon: Bell, colour: "text-ink-soft", bar: "bg-ink-soft" },
};

const STATE_STYLES: Record<SpanState, { label: string; Icon: LucideIcon; colour: string }> = {
  pending: { label: "not started", Icon: CircleDashed, colour: "text-ink-faint" },
  running: { label: "running", Icon: LoaderCircle, colour: "text-live" },
  waiting: { label: "waiting", Icon: CirclePause, colour: "text-warn" },
  ok: { label: "ok", Icon: CircleCheck, colour: "text-ok" },
  reused: { label: "reused", Icon: Undo2, colour: "text-ok" },
  failed: { label: "failed", Icon: CircleX, colour: "text-err" },
  retried: { label: "retried", Icon: RotateCcw, colour: "text-warn" },
  recovered: { label: "recovered", Icon: CircleAlert, colour: "text-warn" },
  skipped: { label: "skipped", Icon: CircleSlash, colour: "text-ink-faint" },
  stopped: { label: "stopped", Icon: Ban, colour: "text-ink-faint" },
  warned: { label: "warning", Icon: CircleAlert, colour: "text-warn" },
};

export function spanKindLabel(kind: SpanKind): string {
  return KIND_STYLES[kind].label;
}

export function spanStateLabel(state: SpanState): string {
  return STATE_STYLES[state].label;
}

/** The colour of a span's bar: the colour of its kind unless the state needs attention. */
export function spanBarColour(kind: SpanKind, state: SpanState): string {
  if (state === "failed") return "bg-err";
  if (state === "retried" || state === "recovered" || state === "waiting") return "bg-warn";
  if (state === "stopped") return "bg-line-strong";
  return KIND_STYLES[kind].bar;
}

export function spanStateColour(state: SpanState): string {
  return STATE_STYLES[state].colour;
}

export function SpanKindIcon({ kind, className }: { kind: SpanKind; className?: string }) {
  const { Icon, colour } = KIND_STYLES[kind];
  return <Icon aria-hidden className={cn("size-4 shrink-0", colour, className)} />;
}

export function SpanStateIcon({ state, className }: { state: SpanState; className?: string }) {
  const { Icon, colour } = STATE_STYLES[state];
  return (
    <Icon
      aria-hidden
      className={cn(
        "size-3.5 shrink-0",
        colour,
        state === "running" && "animate-spin motion-reduce:animate-none",
        className,
      )}
    />
  );
}
