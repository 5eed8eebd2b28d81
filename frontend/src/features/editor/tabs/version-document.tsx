import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { CopyButton } from "@/components/ui/copy-button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { YamlView } from "@/components/yaml-view";
import { versionQuery } from "@/lib/queries/versions";
import { useIsShared } from "@/lib/rights";

/** The document of a version. */
export function VersionDocument({ workflowId, number }: { workflowId: string; number: number }) {
  const isShared = useIsShared();
  const version = useQuery(versionQuery(workflowId, number));
  if (version.isPending) return <SkeletonRows rows={4} className="p-0" />;
  if (version.isError) {
    return <ErrorPanel error={version.error} onRetry={() => version.refetch()} />;
  }
  const { yaml, note, createdByName } = version.data;
  return (
    <>
      <div className="flex items-center justify-between gap-2">
        <p className="text-ink-soft">
          {note ?? "No note"}{" "}
          {isShared && <span className="text-ink-faint">by {createdByName}</span>}
        </p>
        <CopyButton text={yaml} label="Copy document" />
      </div>
      <YamlView text={yaml} label={`Document of version ${number}`} />
    </>
  );
}
