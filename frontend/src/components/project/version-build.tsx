import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Hammer } from "lucide-react";
import { useEffect } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import type { VersionBuild as Build } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";
import { buildLogQuery, type BuildLog } from "@/lib/queries/build-log";
import { isBuilding, projectKeys } from "@/lib/queries/projects";

import { BuildStatus } from "./build-status";
import { LogText } from "./log-text";

/** The newest build of a version with its log, which grows while it is built. */
export function VersionBuild({ projectId, version }: { projectId: string; version: number }) {
  const queryClient = useQueryClient();
  const log = useQuery(buildLogQuery(queryClient, projectId, version));
  useRefreshedProject(projectId, log.data?.build.status);
  const again = useMutation({
    mutationFn: async () => {
      const params = { path: { project_id: projectId, number: version } };
      await api.POST("/api/v1/projects/{project_id}/versions/{number}/build", { params });
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: projectKeys.detail(projectId) }),
  });
  if (log.isPending) return <SkeletonRows />;
  if (!log.data) return <ErrorPanel error={log.error} onRetry={() => log.refetch()} />;
  const { build, text } = log.data;
  return (
    <>
      {build.error && (
        <Alert tone="err" title="The build failed">
          {build.error}
        </Alert>
      )}
      {again.error && <ErrorPanel error={again.error} />}
      <Card
        title={`Build of version ${version}`}
        actions={
          <div className="flex flex-wrap items-center gap-2">
            {text && <CopyButton text={text} label="Copy the log" />}
            {!isBuilding(build.status) && (
              <Allowed scope="code:write">
                <Button size="sm" busy={again.isPending} onClick={() => again.mutate()}>
                  {!again.isPending && <Hammer aria-hidden />}
                  Build again
                </Button>
              </Allowed>
            )}
          </div>
        }
      >
        <div className="grid gap-3 p-4">
          <div role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <BuildStatus state={build.status} />
            <BuildTimes build={build} />
          </div>
          <LogContent log={log.data} />
        </div>
      </Card>
    </>
  );
}

/** Fetches the project again when the state of the build changes. */
function useRefreshedProject(projectId: string, state: string | undefined): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (!state) return;
    void queryClient.invalidateQueries({ queryKey: projectKeys.detail(projectId), exact: true });
  }, [queryClient, projectId, state]);
}

function BuildTimes({ build: { number, startedAt, finishedAt } }: { build: Build }) {
  const took =
    startedAt && finishedAt ? new Date(finishedAt).getTime() - new Date(startedAt).getTime() : null;
  return (
    <span className="text-ink-soft">
      Build {number}
      {startedAt && (
        <>
          {", started "}
          <TimeAgo at={startedAt} />
        </>
      )}
      {took !== null && `, took ${formatDuration(took)}`}
    </span>
  );
}

function LogContent({ log: { text, build } }: { log: BuildLog }) {
  if (text) return <LogText label="Build log" text={text} follow={isBuilding(build.status)} />;
  return (
    <p className="text-ink-soft">
      {isBuilding(build.status)
        ? "The log appears here when the build starts."
        : "This build has no log."}
    </p>
  );
}
