import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { workflowQuery } from "@/lib/queries/workflows";

import { normalizeLineBreaks } from "./use-draft";

const MergeView = lazy(async () => ({ default: (await import("./merge-view")).MergeView }));

interface Props {
  workflowId: string;
  mine: string;
  base: number;
  isSaving: boolean;
  /** An error other than a conflict while saving. */
  error: unknown;
  onClose: () => void;
  onKeepMine: (theirs: Workflow) => void;
  onTakeTheirs: () => void;
}

/** Shows both versions after someone else has saved, and lets the user choose one. */
export function ConflictDialog(props: Props) {
  const { workflowId, mine, base, isSaving, error, onClose, onKeepMine, onTakeTheirs } = props;
  const theirs = useQuery({ ...workflowQuery(workflowId), staleTime: 0 });
  const newer = theirs.data && theirs.data.version !== base ? theirs.data : undefined;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Changed by someone else"
      description={
        newer
          ? `Your changes are based on version ${base}, but ${newer.createdByName} has saved version ${newer.version}. Nothing is overwritten: both remain in the version history.`
          : `A version newer than ${base} was saved while you were editing. Nothing is overwritten.`
      }
      className="w-[min(72rem,calc(100vw-1.5rem))]"
      footer={
        <>
          <Button onClick={onClose}>Decide later</Button>
          <Button disabled={!newer} onClick={onTakeTheirs}>
            Discard mine, use theirs
          </Button>
          <Button
            variant="primary"
            disabled={!newer}
            busy={isSaving}
            onClick={() => newer && onKeepMine(newer)}
          >
            Keep mine as version {(newer?.version ?? base) + 1}
          </Button>
        </>
      }
    >
      {theirs.isError && <ErrorPanel error={theirs.error} onRetry={() => void theirs.refetch()} />}
      {error !== null && error !== undefined && <ErrorPanel error={error} className="mb-3" />}
      {newer ? (
        <Suspense fallback={<SkeletonRows />}>
          <div className="mb-1 grid grid-cols-2 text-xs font-medium text-ink-soft">
            <span>Theirs (version {newer.version})</span>
            <span className="pl-2">Mine (based on version {base})</span>
          </div>
          <MergeView theirs={normalizeLineBreaks(newer.yaml)} mine={mine} />
        </Suspense>
      ) : (
        !theirs.isError && <SkeletonRows />
      )}
    </Dialog>
  );
}
