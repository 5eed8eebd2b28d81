import { CircleCheck, CircleDashed, CircleMinus, CircleX } from "lucide-react";

import { Badge } from "@/components/ui/badge";

const STATES = {
  good: { tone: "ok", Icon: CircleCheck },
  coming: { tone: "live", Icon: CircleDashed },
  off: { tone: "idle", Icon: CircleMinus },
  bad: { tone: "err", Icon: CircleX },
} as const;

/** How a part of the server is, by icon, word and colour. */
export function StateBadge({ state, word }: { state: keyof typeof STATES; word: string }) {
  const { tone, Icon } = STATES[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden />
      {word}
    </Badge>
  );
}
