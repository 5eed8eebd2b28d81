import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { workflowQuery } from "@/lib/queries/workflows";

import { plainBreaks } from "./use-draft";

const MergeView = lazy(async () => ({ default: (await import("./merge-view")).MergeView }));

interface Props {
  workflowId: string;
  mine: string;
  base: number;
  busy: boolean;
  /** Something else went wrong while mine was being saved. */
  error: unknown;
  onClose: () => void;
  onKeepMine: (theirs: Workflow) => void;
  onTakeTheirs: () => void;
}

/** Two people changed one workflow: shows both, and overwrites nothing by itself. */
export function ConflictDialog(props: Props) {
  const { workflowId, mine, base, busy, error, onClose, onKeepMine, onTakeTheirs } = props;
  const theirs = useQuery({ ...workflowQuery(workflowId), staleTime: 0 });
  const newer = theirs.data && theirs.data.version !== base ? theirs.data : undefined;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Changed by someone else"
      description={
        newer
          ? `You began from version ${base}; ${newer.createdBy} has saved version ${newer.version} since. Nothing is overwritten: both stay in the versions.`
          : `A version newer than ${base} was saved while you were writing. Nothing is overwritten.`
      }
      className="w-[min(72rem,calc(100vw-1.5rem))]"
      footer={
        <>
          <Button onClick={onClose}>Decide later</Button>
          <Button disabled={!newer} onClick={onTakeTheirs}>
            Take theirs, discard mine
          </Button>
          <Button
            variant="primary"
            disabled={!newer}
            busy={busy}
            onClick={() => newer && onKeepMine(newer)}
          >
            Keep mine, save as version {(newer?.version ?? base) + 1}
          </Button>
        </>
      }
    >
      {theirs.isError && <ErrorPanel error={theirs.error} onRetry={() => void theirs.refetch()} />}
      {error !== null && error !== undefined && <ErrorPanel error={error} className="mb-3" />}
      {newer ? (
        <Suspense fallback={<SkeletonRows />}>
          <div className="mb-1 grid grid-cols-2 text-xs font-medium text-ink-soft">
            <span>Theirs, version {newer.version}</span>
            <span className="pl-2">Mine, from version {base}</span>
          </div>
          <MergeView theirs={plainBreaks(newer.yaml)} mine={mine} />
        </Suspense>
      ) : (
        !theirs.isError && <SkeletonRows />
      )}
    </Dialog>
  );
}
