import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Workflow } from "@/lib/api/types";
import { workflowQuery } from "@/lib/queries/workflows";
import { toast } from "@/lib/toast";

import { useDraftStore } from "./draft-store";
import { normalizeLineBreaks, type DraftControls } from "./use-draft";
import { isConflict, useSaveVersion } from "./use-save-version";

/** Saves the draft, and resolves the conflict when someone else has saved a newer version. */
export function useSaveDraft(workflow: Workflow, draft: DraftControls) {
  const queryClient = useQueryClient();
  const [isConflictOpen, setConflictOpen] = useState(false);
  const mutation = useSaveVersion(workflow.id, (saved, request) => {
    settleDraft(saved, request.text);
    setConflictOpen(false);
    toast.success(`Saved version ${saved.version}`);
  });
  const save = (base: number, note?: string) =>
    mutation.mutate(
      { text: draft.text, base, note },
      { onError: (error) => isConflict(error) && setConflictOpen(true) },
    );
  const takeTheirs = async () => {
    await queryClient.invalidateQueries({ queryKey: workflowQuery(workflow.id).queryKey });
    draft.discard();
    setConflictOpen(false);
    mutation.reset();
  };
  return {
    save,
    isSaving: mutation.isPending,
    error: isConflict(mutation.error) ? null : mutation.error,
    isConflictOpen,
    openConflict: () => setConflictOpen(true),
    closeConflict: () => setConflictOpen(false),
    keepMine: (theirs: Workflow) => save(theirs.version),
    takeTheirs: () => void takeTheirs(),
  };
}

/** Deletes the saved draft; changes made while the request was pending stay a draft of the new version. */
function settleDraft(saved: Workflow, sentText: string): void {
  const { drafts, deleteDraft, setDraft } = useDraftStore.getState();
  const draft = drafts[saved.id];
  if (!draft || draft.text === sentText || draft.text === normalizeLineBreaks(saved.yaml)) {
    deleteDraft(saved.id);
  } else {
    setDraft(saved.id, draft.text, saved.version);
  }
}
