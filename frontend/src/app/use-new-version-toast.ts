import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { aboutQuery } from "@/lib/queries/system";
import { toast } from "@/lib/toast";

const INTERVAL_MS = 60_000;

/** Offers to reload the page when the server has been upgraded. */
export function useNewVersionToast(): void {
  const { data } = useQuery({
    ...aboutQuery(),
    refetchInterval: INTERVAL_MS,
    select: (about) => about.version,
  });
  const previous = useRef<string>(undefined);
  useEffect(() => {
    if (data === undefined) return;
    if (previous.current !== undefined && previous.current !== data) {
      toast.plain(`CrewAI Runner ${data} is available. Reload to update.`, {
        action: { label: "Reload", onClick: () => location.reload() },
        persistent: true,
      });
    }
    previous.current = data;
  }, [data]);
}
