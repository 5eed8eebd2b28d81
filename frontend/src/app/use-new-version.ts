import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { aboutQuery } from "@/lib/queries/system";
import { toast } from "@/lib/toast";

const EVERY_MS = 60_000;

/** Offers to load the page anew when the server has been upgraded under it. */
export function useNewVersion(): void {
  const { data } = useQuery({
    ...aboutQuery(),
    refetchInterval: EVERY_MS,
    select: (about) => about.version,
  });
  const seen = useRef<string>(undefined);
  useEffect(() => {
    if (data === undefined) return;
    if (seen.current !== undefined && seen.current !== data) {
      toast.plain(`CrewAI Runner ${data} is here. Reload to update.`, {
        action: { label: "Reload", onClick: () => location.reload() },
        persistent: true,
      });
    }
    seen.current = data;
  }, [data]);
}
