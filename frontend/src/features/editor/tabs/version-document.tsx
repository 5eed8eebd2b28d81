import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { YamlView } from "@/components/yaml-view";
import { versionQuery } from "@/lib/queries/versions";

/** The document of a version. */
export function VersionDocument({ workflowId, number }: { workflowId: string; number: number }) {
  const version = useQuery(versionQuery(workflowId, number));
  if (version.isPending) return <SkeletonRows rows={4} className="p-0" />;
  if (version.isError) {
    return <ErrorPanel error={version.error} onRetry={() => version.refetch()} />;
  }
  const { yaml, note, createdBy } = version.data;
  return (
    <>
      <div className="flex items-center justify-between gap-2">
        <p className="text-ink-soft">
          {note ?? "No note"} <span className="text-ink-faint">by {createdBy}</span>
        </p>
        <CopyButton text={yaml} label="Copy document" />
      </div>
      <YamlView text={yaml} label={`Document of version ${number}`} />
    </>
  );
}
