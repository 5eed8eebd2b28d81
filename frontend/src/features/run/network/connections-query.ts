import { infiniteQueryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { RunConnectionPage, Run } from "@/lib/api/types";
import { runKeys } from "@/lib/queries/runs";
import { hasEnded } from "@/lib/run-state";

const POLL_MS = 3_000;

/** The connections of a run, in pages; polled while the run is active. */
export const connectionsQuery = (run: Pick<Run, "id" | "status">) =>
  infiniteQueryOptions({
    queryKey: [...runKeys.detail(run.id), "egress"],
    queryFn: ({ signal, pageParam }) => readPage(run.id, pageParam, 200, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: hasEnded(run.status) ? false : POLL_MS,
  });

/** Reads all connections of a run, page by page. */
export async function readAllConnections(runId: string): Promise<RunConnectionPage["connections"]> {
  const connections = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    // oxlint-disable-next-line no-await-in-loop -- each page names the next one
    const page: RunConnectionPage = await readPage(runId, cursor, 1000);
    connections.push(...page.connections);
    cursor = page.nextCursor;
  }
  return connections;
}

async function readPage(
  runId: string,
  cursor: string,
  limit: number,
  signal?: AbortSignal,
): Promise<RunConnectionPage> {
  const query = { limit, ...(cursor ? { cursor } : {}) };
  const params = { path: { run_id: runId }, query };
  return body(await api.GET("/api/v1/runs/{run_id}/egress", { params, signal: signal ?? null }));
}
