import { useQuery } from "@tanstack/react-query";
import { BookOpen } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { KnowledgeFile, Workflow } from "@/lib/api/types";
import { formatFileSize } from "@/lib/format-file-size";
import { knowledgeQuery } from "@/lib/queries/knowledge";

import { DeleteKnowledgeDialog } from "./delete-knowledge-dialog";
import { KnowledgeRow } from "./knowledge-row";
import { KnowledgeUpload } from "./knowledge-upload";

/** The files that the agents of a workflow may search. */
export function KnowledgeTab({ workflow }: { workflow: Workflow }) {
  const knowledge = useQuery(knowledgeQuery(workflow.id));
  const [fileToDelete, setFileToDelete] = useState<KnowledgeFile | null>(null);
  if (knowledge.isPending) return <SkeletonRows />;
  if (!knowledge.data) {
    return <ErrorPanel error={knowledge.error} onRetry={() => knowledge.refetch()} />;
  }
  const { files, embedder, limits } = knowledge.data;
  return (
    <div className="grid gap-4">
      {!embedder && <NoEmbedder />}
      <Allowed scope="workflows:write">
        <KnowledgeUpload workflowId={workflow.id} limits={limits} />
      </Allowed>
      {files.length === 0 ? (
        <EmptyState icon={BookOpen} title="No knowledge files yet">
          Every agent of this workflow can search the files that are added here, in runs that start
          afterwards.
        </EmptyState>
      ) : (
        <Card title="Files">
          <ul aria-label="Knowledge files" className="divide-y divide-line">
            {files.map((file) => (
              <KnowledgeRow
                key={file.id}
                workflowId={workflow.id}
                file={file}
                onDelete={() => setFileToDelete(file)}
              />
            ))}
          </ul>
        </Card>
      )}
      <p className="text-xs text-ink-faint">
        {embedder && `Embedded with ${embedder.name}. `}
        {formatFileSize(limits.usedBytes)} of {formatFileSize(limits.maxBytes)} used.
      </p>
      <DeleteKnowledgeDialog
        workflowId={workflow.id}
        file={fileToDelete}
        onClose={() => setFileToDelete(null)}
      />
    </div>
  );
}

function NoEmbedder() {
  return (
    <Alert tone="warn" title="There is no embedding model">
      Files cannot be searched without one. Register a model of type embedder on the Models page, or
      install the built-in embedder (crewai-runner[local]).
    </Alert>
  );
}
