import { RotateCw } from "lucide-react";

import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

import { useRunStore } from "../store/use-span";
import type { Connection, RunStore } from "../store/run-store";

const LOOKS: Partial<Record<Connection, { words: string; dot: string; text: string }>> = {
  connecting: { words: "Connecting…", dot: "bg-line-strong", text: "text-ink-soft" },
  live: { words: "Live", dot: "bg-ok", text: "text-ok" },
  reconnecting: { words: "Reconnecting…", dot: "bg-warn", text: "text-warn" },
  stalled: { words: "No news for a minute", dot: "bg-err", text: "text-err" },
  gone: { words: "Not followed any more", dot: "bg-err", text: "text-err" },
};

/** How the page is connected to the run; nothing on a run that is over. */
export function LiveDot({ store }: { store: RunStore }) {
  const connection = useRunStore(store, (now) => now.connection);
  const looks = LOOKS[connection];
  if (!looks) return null;
  return (
    <span className={cn("inline-flex items-center gap-1.5", looks.text)}>
      <span
        aria-hidden
        className={cn(
          "size-2 rounded-full",
          looks.dot,
          connection === "live" && "animate-pulse motion-reduce:animate-none",
        )}
      />
      {looks.words}
      {(connection === "stalled" || connection === "gone") && (
        <Button size="sm" onClick={() => location.reload()}>
          <RotateCw aria-hidden />
          Reload
        </Button>
      )}
    </span>
  );
}
