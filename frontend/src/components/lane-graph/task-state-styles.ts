import {
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

interface Look {
  word: string;
  Icon: LucideIcon;
  /** Colour of icon and word, and of the card's border. */
  text: string;
  border: string;
  spins?: boolean;
}

/** How a task's state looks: always icon and word beside the colour. */
export const TASK_LOOKS: Record<TaskState, Look> = {
  pending: { word: "Pending", Icon: CircleDashed, text: "text-idle", border: "border-line" },
  running: {
    word: "Running",
    Icon: LoaderCircle,
    text: "text-live",
    border: "border-live",
    spins: true,
  },
  waiting: { word: "Waiting", Icon: CirclePause, text: "text-warn", border: "border-warn" },
  completed: { word: "Completed", Icon: CircleCheck, text: "text-ok", border: "border-ok/60" },
  reused: { word: "Reused", Icon: Recycle, text: "text-ok", border: "border-ok/60" },
  failed: { word: "Failed", Icon: CircleX, text: "text-err", border: "border-err" },
  skipped: { word: "Skipped", Icon: SkipForward, text: "text-idle", border: "border-line" },
};
