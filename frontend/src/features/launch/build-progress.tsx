import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { BuildStatus } from "@/components/project/build-status";
import { Card } from "@/components/ui/card";
import { useNow } from "@/hooks/use-now";
import { formatDuration } from "@/lib/format";
import { buildLogQuery } from "@/lib/queries/build-log";

/** How far the build of a version is: its state, its time and the last line of its log. */
export function BuildProgress({ projectId, version }: { projectId: string; version: number }) {
  const queryClient = useQueryClient();
  const { data: log } = useQuery(buildLogQuery(queryClient, projectId, version));
  const now = useNow(1_000);
  const startedAt = log?.build.startedAt;
  const lastLine = log?.text.trimEnd().split("\n").at(-1) ?? "";
  return (
    <Card title="Build">
      <div className="grid gap-2 px-4 py-3">
        <p className="flex flex-wrap items-center gap-2">
          <BuildStatus state={log?.build.status ?? "queued"} />
          {startedAt && (
            <span className="text-ink-soft">
              {formatDuration(Math.max(0, now - Date.parse(startedAt)))}
            </span>
          )}
        </p>
        <p className="text-ink-soft">
          The packages that the project asks for are installed. A first build takes about a minute.
          You can start the run now: it begins when the build is ready.
        </p>
        {lastLine && (
          <p className="truncate font-mono text-xs text-ink-soft" title={lastLine}>
            {lastLine}
          </p>
        )}
        <Link
          to="/projects/$projectId"
          params={{ projectId }}
          search={{ tab: "build", version }}
          className="justify-self-start text-accent underline underline-offset-2"
        >
          Open the build log
        </Link>
      </div>
    </Card>
  );
}
