import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import { runKeys } from "@/lib/queries/runs";

/** The public links to a run that work, newest first. */
export const publicLinksQuery = (runId: string) =>
  queryOptions({
    queryKey: [...runKeys.detail(runId), "public-links"],
    queryFn: async ({ signal }) => {
      const params = { path: { run_id: runId } };
      return body(await api.GET("/api/v1/runs/{run_id}/public-links", { params, signal }))
        .publicLinks;
    },
  });
