import { useQuery } from "@tanstack/react-query";

import { DiffTable } from "@/components/diff-table/diff-table";
import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { SkeletonRows } from "@/components/ui/skeleton";
import { versionDiffQuery } from "@/lib/queries/versions";

import { ChangeList } from "./change-list";

interface Props {
  workflowId: string;
  from: number;
  to: number;
}

/** The changes between two versions: a summary and a diff. */
export function VersionChanges({ workflowId, from, to }: Props) {
  const diff = useQuery(versionDiffQuery(workflowId, from, to));
  if (diff.isPending) return <SkeletonRows rows={4} className="p-0" />;
  if (diff.isError) return <ErrorPanel error={diff.error} onRetry={() => diff.refetch()} />;
  if (diff.data.text === "") return <Alert title="Both versions are identical." />;
  return (
    <>
      <ChangeList changes={diff.data.changes} />
      <DiffTable diff={diff.data.text} from={from} to={to} />
    </>
  );
}
