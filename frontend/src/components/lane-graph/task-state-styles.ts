import {
  Ban,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleX,
  LoaderCircle,
  Recycle,
  SkipForward,
  type LucideIcon,
} from "lucide-react";

import type { TaskState } from "@/lib/api/types";

interface TaskStateStyle {
  label: string;
  Icon: LucideIcon;
  /** Colour of icon and label. */
  text: string;
  border: string;
  spins?: boolean;
}

export const TASK_STATE_STYLES: Record<TaskState, TaskStateStyle> = {
  pending: { label: "Pending", Icon: CircleDashed, text: "text-idle", border: "border-line" },
  running: {
    label: "Running",
    Icon: LoaderCircle,
    text: "text-live",
    border: "border-live",
    spins: true,
  },
  waiting: { label: "Waiting", Icon: CirclePause, text: "text-warn", border: "border-warn" },
  completed: { label: "Completed", Icon: CircleCheck, text: "text-ok", border: "border-ok/60" },
  reused: { label: "Reused", Icon: Recycle, text: "text-ok", border: "border-ok/60" },
  failed: { label: "Failed", Icon: CircleX, text: "text-err", border: "border-err" },
  interrupted: { label: "Interrupted", Icon: Ban, text: "text-idle", border: "border-line" },
  skipped: { label: "Skipped", Icon: SkipForward, text: "text-idle", border: "border-line" },
};
