import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import { runKeys } from "@/lib/queries/runs";
import { hasEnded } from "@/lib/run-state";

/** Differences between two runs; polled while one of them is active. */
export const runDiffQuery = (a: string, b: string) =>
  queryOptions({
    queryKey: runKeys.diff(a, b),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/runs/diff", { params: { query: { a, b } }, signal })),
    refetchInterval: ({ state: { data } }) =>
      data && hasEnded(data.a.status) && hasEnded(data.b.status) ? false : 3_000,
  });
