import type { QueryClient } from "@tanstack/react-query";
import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { VersionBuild } from "@/lib/api/types";
import { isBuilding, projectKeys } from "./projects";

/** The log of a build as far as it is known. */
export interface BuildLog {
  text: string;
  /** Where the next part starts. */
  next: number;
  build: VersionBuild;
  isComplete: boolean;
}

const POLL_MS = 1_000;
const MAX_PARTS = 50;

/** Returns the log with its next part; null if that part is of a newer build, whose log starts at 0. */
export function appendPart(
  log: BuildLog | null,
  part: { text: string; next: number; build: VersionBuild },
): BuildLog | null {
  if (log && log.build.number !== part.build.number) return null;
  const text = (log?.text ?? "") + part.text;
  // The last lines may be written after the state that came with the previous part.
  const isComplete = part.text === "" && !isBuilding(part.build.status);
  return { text, next: part.next, build: part.build, isComplete };
}

/** The build log of a version, polled until the build has ended. */
export const buildLogQuery = (queryClient: QueryClient, id: string, number: number) => {
  const queryKey = [...projectKeys.version(id, number), "log"] as const;
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }) => {
      const readPart = async (after: number) => {
        const params = { path: { project_id: id, number }, query: { after } };
        const path = "/api/v1/projects/{project_id}/versions/{number}/build/log" as const;
        return body(await api.GET(path, { params, signal }));
      };
      let log = queryClient.getQueryData<BuildLog>(queryKey) ?? null;
      for (let count = 0; count < MAX_PARTS; count += 1) {
        // Sequential: each part says where the next one starts.
        // oxlint-disable-next-line no-await-in-loop
        const part = await readPart(log?.next ?? 0);
        log = appendPart(log, part);
        if (log && part.text === "") break;
      }
      if (!log) throw new Error("The build log changed while it was read. Try again.");
      return log;
    },
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.isComplete ? false : POLL_MS),
  });
};
