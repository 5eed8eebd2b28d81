import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import type { Run } from "@/lib/api/types";
import { buildFileTree } from "@/lib/file-tree";
import { runArtifactsQuery } from "@/lib/queries/runs";

import { ArtifactFolder } from "./artifact-folder";

/** The files that the run wrote, by folder; renders nothing if it writes none. */
export function ArtifactList({ run }: { run: Run }) {
  const artifacts = useQuery(runArtifactsQuery(run.id));
  const writesFiles = run.definition.tasks.some((task) => task.outputFile);
  if (artifacts.isError) {
    return <ErrorPanel error={artifacts.error} onRetry={() => void artifacts.refetch()} />;
  }
  const files = artifacts.data ?? [];
  if (files.length === 0 && !writesFiles) return null;
  return (
    <Card title="Files">
      {files.length === 0 ? (
        <p className="p-4 text-ink-soft">
          Files appear here when the tasks that write them finish.
        </p>
      ) : (
        <ArtifactFolder runId={run.id} folder={buildFileTree(files, (file) => file.name)} />
      )}
    </Card>
  );
}
