import {
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleStop,
  CircleX,
  LoaderCircle,
  ShieldAlert,
  type LucideIcon,
} from "lucide-react";

import type { RunState } from "@/lib/api/types";

import { Badge, type Tone } from "./ui/badge";

interface StateStyle {
  label: string;
  tone: Tone;
  Icon: LucideIcon;
  spins?: boolean;
}

const STYLES: Record<RunState, StateStyle> = {
  queued: { label: "Queued", tone: "idle", Icon: CircleDashed },
  running: { label: "Running", tone: "live", Icon: LoaderCircle, spins: true },
  waiting: { label: "Waiting", tone: "warn", Icon: CirclePause },
  stopping: { label: "Stopping…", tone: "warn", Icon: LoaderCircle, spins: true },
  completed: { label: "Completed", tone: "ok", Icon: CircleCheck },
  failed: { label: "Failed", tone: "err", Icon: CircleX },
  stopped: { label: "Stopped", tone: "idle", Icon: CircleStop },
  crashed: { label: "Crashed", tone: "err", Icon: ShieldAlert },
};

export function runStateLabel(state: RunState): string {
  return STYLES[state].label;
}

/** A run's state as a badge with icon and label. */
export function RunStatus({ state }: { state: RunState }) {
  const { label, tone, Icon, spins } = STYLES[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden className={spins ? "animate-spin" : undefined} />
      {label}
    </Badge>
  );
}
