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

const KINDS: Record<SpanKind, { word: string; Icon: LucideIcon; colour: string; bar: string }> = {
  task: { word: "Task", Icon: ClipboardList, colour: "text-kind-task", bar: "bg-kind-task" },
  agent: { word: "Agent", Icon: Bot, colour: "text-kind-agent", bar: "bg-kind-agent" },
  llm: { word: "LLM call", Icon: Sparkles, colour: "text-kind-llm", bar: "bg-kind-llm" },
  tool: { word: "Tool", Icon: Wrench, colour: "text-kind-tool", bar: "bg-kind-tool" },
  delegation: { word: "Delegation", Icon: Users, colour: "text-kind-agent", bar: "bg-kind-agent" },
  guardrail: { word: "Guardrail", Icon: ShieldCheck, colour: "text-ink-soft", bar: "bg-ink-soft" },
  message: { word: "Message", Icon: MessageSquare, colour: "text-ink-soft", bar: "bg-ink-soft" },
  approval: { word: "Human input", Icon: UserCheck, colour: "text-warn", bar: "bg-warn" },
  note: { word: "Note", Icon: Bell, colour: "text-ink-soft", bar: "bg-ink-soft" },
};

const STATES: Record<SpanState, { word: string; Icon: LucideIcon; colour: string }> = {
  pending: { word: "not started", Icon: CircleDashed, colour: "text-ink-faint" },
  running: { word: "running", Icon: LoaderCircle, colour: "text-live" },
  waiting: { word: "waiting", Icon: CirclePause, colour: "text-warn" },
  ok: { word: "ok", Icon: CircleCheck, colour: "text-ok" },
  reused: { word: "reused", Icon: Undo2, colour: "text-ok" },
  failed: { word: "failed", Icon: CircleX, colour: "text-err" },
  retried: { word: "retried", Icon: RotateCcw, colour: "text-warn" },
  recovered: { word: "recovered", Icon: CircleAlert, colour: "text-warn" },
  skipped: { word: "skipped", Icon: CircleSlash, colour: "text-ink-faint" },
  stopped: { word: "stopped", Icon: Ban, colour: "text-ink-faint" },
  warned: { word: "warning", Icon: CircleAlert, colour: "text-warn" },
};

export function kindWord(kind: SpanKind): string {
  return KINDS[kind].word;
}

export function stateWord(state: SpanState): string {
  return STATES[state].word;
}

/** The colour of a span's bar: its kind's, unless its state says more. */
export function barColour(kind: SpanKind, state: SpanState): string {
  if (state === "failed") return "bg-err";
  if (state === "retried" || state === "recovered" || state === "waiting") return "bg-warn";
  if (state === "stopped") return "bg-line-strong";
  return KINDS[kind].bar;
}

export function stateColour(state: SpanState): string {
  return STATES[state].colour;
}

export function KindIcon({ kind, className }: { kind: SpanKind; className?: string }) {
  const { Icon, colour } = KINDS[kind];
  return <Icon aria-hidden className={cn("size-4 shrink-0", colour, className)} />;
}

export function StateIcon({ state, className }: { state: SpanState; className?: string }) {
  const { Icon, colour } = STATES[state];
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
