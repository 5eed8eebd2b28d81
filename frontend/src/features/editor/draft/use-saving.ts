import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Workflow } from "@/lib/api/types";
import { workflowQuery } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

import { useDrafts } from "./draft-store";
import { isConflict, useSave } from "./save";
import { plainBreaks, type DraftControls } from "./use-draft";

/** Saving, and what happens when somebody else has saved first. */
export function useSaving(workflow: Workflow, draft: DraftControls) {
  const queryClient = useQueryClient();
  const [comparing, setComparing] = useState(false);
  const saving = useSave(workflow.id, (saved, order) => {
    settle(saved, order.text);
    setComparing(false);
    toast.success(`Saved version ${saved.version}`);
  });
  const save = (base: number, note?: string) =>
    saving.mutate(
      { text: draft.text, base, note },
      { onError: (error) => isConflict(error) && setComparing(true) },
    );
  const takeTheirs = async () => {
    await queryClient.invalidateQueries({ queryKey: workflowQuery(workflow.id).queryKey });
    draft.discard();
    setComparing(false);
    saving.reset();
  };
  return {
    save,
    busy: saving.isPending,
    error: isConflict(saving.error) ? null : saving.error,
    comparing,
    compare: () => setComparing(true),
    decideLater: () => setComparing(false),
    keepMine: (theirs: Workflow) => save(theirs.version),
    takeTheirs: () => void takeTheirs(),
  };
}

/** What was typed while the request was under way goes on being a draft, of the new version. */
function settle(saved: Workflow, sent: string): void {
  const { drafts, drop, put } = useDrafts.getState();
  const now = drafts[saved.id];
  if (!now || now.text === sent || now.text === plainBreaks(saved.yaml)) drop(saved.id);
  else put(saved.id, now.text, saved.version);
}
