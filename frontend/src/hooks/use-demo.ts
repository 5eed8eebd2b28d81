import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { demoAvailability, startDemo } from "@/lib/demo";
import { modelsQuery } from "@/lib/queries/models";
import { runKeys } from "@/lib/queries/runs";
import { aboutQuery } from "@/lib/queries/system";
import { templatesQuery, workflowKeys } from "@/lib/queries/workflows";

/** Starts the demo and opens its run; `availability` tells whether this server can run it. */
export function useDemo() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const about = useQuery(aboutQuery());
  const models = useQuery(modelsQuery());
  const start = useMutation({
    mutationFn: async () => startDemo(await client.ensureQueryData(templatesQuery())),
    onSuccess: (runId) => {
      void client.invalidateQueries({ queryKey: runKeys.lists() });
      void client.invalidateQueries({ queryKey: workflowKeys.all });
      return navigate({ to: "/runs/$runId", params: { runId } });
    },
  });
  const availability =
    about.data && models.data ? demoAvailability(about.data, models.data) : undefined;
  return { start, availability, error: about.error ?? models.error };
}
