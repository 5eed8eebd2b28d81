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

const LOOKS: Record<RunState, { word: string; tone: Tone; Icon: LucideIcon; spins?: boolean }> = {
  queued: { word: "Queued", tone: "idle", Icon: CircleDashed },
  running: { word: "Running", tone: "live", Icon: LoaderCircle, spins: true },
  waiting: { word: "Waiting", tone: "warn", Icon: CirclePause },
  stopping: { word: "Stopping…", tone: "warn", Icon: LoaderCircle, spins: true },
  completed: { word: "Completed", tone: "ok", Icon: CircleCheck },
  failed: { word: "Failed", tone: "err", Icon: CircleX },
  stopped: { word: "Stopped", tone: "idle", Icon: CircleStop },
  crashed: { word: "Crashed", tone: "err", Icon: ShieldAlert },
};

/** The word for a run's state. */
export function runStateWord(state: RunState): string {
  return LOOKS[state].word;
}

/** A run's state by icon, word and colour. */
export function RunStatus({ state }: { state: RunState }) {
  const { word, tone, Icon, spins } = LOOKS[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden className={spins ? "animate-spin" : undefined} />
      {word}
    </Badge>
  );
}
