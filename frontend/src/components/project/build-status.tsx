import { CircleCheck, CircleDashed, CircleX, LoaderCircle, type LucideIcon } from "lucide-react";

import { Badge, type Tone } from "@/components/ui/badge";
import type { BuildState } from "@/lib/api/types";

const STYLES: Record<BuildState, { label: string; tone: Tone; Icon: LucideIcon }> = {
  queued: { label: "Build queued", tone: "idle", Icon: CircleDashed },
  building: { label: "Building", tone: "live", Icon: LoaderCircle },
  ready: { label: "Ready", tone: "ok", Icon: CircleCheck },
  failed: { label: "Build failed", tone: "err", Icon: CircleX },
};

/** The state of a version's build as a badge with icon and label. */
export function BuildStatus({ state }: { state: BuildState }) {
  const { label, tone, Icon } = STYLES[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden className={state === "building" ? "animate-spin" : undefined} />
      {label}
    </Badge>
  );
}
