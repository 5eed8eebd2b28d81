import { WifiOff } from "lucide-react";

import { connection, useConnectionState } from "@/lib/connection";

const MESSAGES = {
  online: "",
  offline: "You are offline. Updates resume when the connection is back.",
  unreachable: "The server is not responding. Retrying…",
};

/** Banner shown while the server cannot be reached. */
export function OfflineBar() {
  const state = useConnectionState();
  return (
    <div role="status">
      {state !== "online" && (
        <div className="flex items-center gap-2 border-b border-warn/30 bg-warn-soft px-4 py-1.5 text-warn">
          <WifiOff aria-hidden className="size-4 shrink-0" />
          <p className="min-w-0 flex-1">{MESSAGES[state]}</p>
          <button
            type="button"
            onClick={connection.retry}
            className="shrink-0 font-medium underline-offset-4 hover:underline max-sm:min-h-9"
          >
            Retry now
          </button>
        </div>
      )}
    </div>
  );
}
