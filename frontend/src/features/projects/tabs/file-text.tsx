import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api, body } from "@/lib/api/client";
import { projectKeys } from "@/lib/queries/projects";

interface Props {
  projectId: string;
  version: number;
  path: string;
}

/** The text of a file of a version. */
export function FileText({ projectId, version, path }: Props) {
  const file = useQuery({
    queryKey: [...projectKeys.version(projectId, version), "file", path] as const,
    queryFn: async ({ signal }) => {
      const params = { path: { project_id: projectId, number: version, path } };
      const url = "/api/v1/projects/{project_id}/versions/{number}/files/{path}" as const;
      return body(await api.GET(url, { params, signal }));
    },
    staleTime: Infinity,
  });
  if (file.isPending) return <SkeletonRows />;
  if (file.isError) return <ErrorPanel error={file.error} onRetry={() => file.refetch()} />;
  const { text, truncated } = file.data;
  return (
    <Card
      title={<span className="font-mono text-[13px] break-all">{path}</span>}
      actions={text && <CopyButton text={text} label="Copy the text" />}
    >
      {text === null ? (
        <p className="p-4 text-ink-soft">This file is not text.</p>
      ) : text === "" ? (
        <p className="p-4 text-ink-soft">This file is empty.</p>
      ) : (
        <pre
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
          tabIndex={0}
          role="region"
          aria-label={`Text of ${path}`}
          className="max-h-[36rem] overflow-auto px-4 py-3 font-mono text-[13px] leading-5 focus-visible:-outline-offset-2"
        >
          {text}
        </pre>
      )}
      {truncated && (
        <p className="border-t px-4 py-2 text-ink-soft">
          The file is longer: only its first 256 KiB are shown.
        </p>
      )}
    </Card>
  );
}
