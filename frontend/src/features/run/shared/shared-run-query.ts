import { queryOptions } from "@tanstack/react-query";

import { apiUrl } from "@/lib/api/client";
import { ApiProblem, readProblem, ServerUnreachable } from "@/lib/api/problem";
import type { SharedRun } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

const POLL_MS = 5_000;

/** The run of a public link. A session that this browser may have is neither needed nor sent. */
export const sharedRunQuery = (token: string) =>
  queryOptions({
    queryKey: ["shared-run", token],
    queryFn: async ({ signal }) => {
      const response = await fetch(apiUrl("/api/v1/shared-run"), {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token }),
        signal,
      }).catch((error: unknown) => {
        throw signal.aborted ? error : new ServerUnreachable(error);
      });
      if (!response.ok) throw await readProblem(response);
      return (await response.json()) as SharedRun;
    },
    retry: (count, error) => !(error instanceof ApiProblem) && count < 3,
    refetchInterval: ({ state }) => (state.data && !hasEnded(state.data.status) ? POLL_MS : false),
  });
