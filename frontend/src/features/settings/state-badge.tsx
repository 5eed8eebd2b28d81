import { CircleCheck, CircleDashed, CircleMinus, CircleX } from "lucide-react";

import { Badge } from "@/components/ui/badge";

const STATES = {
  good: { tone: "ok", Icon: CircleCheck },
  pending: { tone: "live", Icon: CircleDashed },
  off: { tone: "idle", Icon: CircleMinus },
  bad: { tone: "err", Icon: CircleX },
} as const;

/** State of a component, as icon, label and colour. */
export function StateBadge({ state, label }: { state: keyof typeof STATES; label: string }) {
  const { tone, Icon } = STATES[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden />
      {label}
    </Badge>
  );
}
