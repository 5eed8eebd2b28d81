import { RotateCw } from "lucide-react";
import { useStore } from "zustand";

import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

import type { Connection, RunStore } from "../store/run-store";

const STYLES: Partial<Record<Connection, { label: string; dot: string; text: string }>> = {
  connecting: { label: "Connecting…", dot: "bg-line-strong", text: "text-ink-soft" },
  live: { label: "Live", dot: "bg-ok", text: "text-ok" },
  reconnecting: { label: "Reconnecting…", dot: "bg-warn", text: "text-warn" },
  stalled: { label: "No updates for a minute", dot: "bg-err", text: "text-err" },
  gone: { label: "Disconnected", dot: "bg-err", text: "text-err" },
};

/** The state of the event stream; renders nothing for a run that has ended. */
export function ConnectionStatus({ store }: { store: RunStore }) {
  const connection = useStore(store.state, (state) => state.connection);
  const style = STYLES[connection];
  if (!style) return null;
  return (
    <span className={cn("inline-flex items-center gap-1.5", style.text)}>
      <span
        aria-hidden
        className={cn(
          "size-2 rounded-full",
          style.dot,
          connection === "live" && "animate-pulse motion-reduce:animate-none",
        )}
      />
      {style.label}
      {(connection === "stalled" || connection === "gone") && (
        <Button size="sm" onClick={() => location.reload()}>
          <RotateCw aria-hidden />
          Reload
        </Button>
      )}
    </span>
  );
}
