import { useCallback, useState } from "react";

import type { Workflow } from "@/lib/api/types";

import { useDraftStore } from "./draft-store";

export interface DraftControls {
  text: string;
  /** The version on which the text is based. */
  base: number;
  isChanged: boolean;
  /** The draft was already in this browser when the page was opened. */
  isRestored: boolean;
  /** A newer version was saved after the draft was started. */
  isOutdated: boolean;
  setText: (text: string) => void;
  discard: () => void;
}

/** The text being edited: the draft if there is one, else the saved text. */
export function useDraft({ id, yaml, version }: Workflow): DraftControls {
  const draft = useDraftStore((state) => state.drafts[id]);
  const setDraft = useDraftStore((state) => state.setDraft);
  const deleteDraft = useDraftStore((state) => state.deleteDraft);
  const saved = normalizeLineBreaks(yaml);
  const [isRestored, setRestored] = useState(draft !== undefined && draft.text !== saved);
  const text = draft?.text ?? saved;
  const base = draft?.base ?? version;
  const setText = useCallback(
    (next: string) => (next === saved ? deleteDraft(id) : setDraft(id, next, base)),
    [setDraft, deleteDraft, id, base, saved],
  );
  const discard = useCallback(() => {
    setRestored(false);
    deleteDraft(id);
  }, [deleteDraft, id]);
  const isChanged = text !== saved;
  return {
    text,
    base,
    isChanged,
    isRestored: isRestored && isChanged,
    isOutdated: isChanged && base !== version,
    setText,
    discard,
  };
}

/** Replaces CRLF and CR by LF, as CodeMirror does. */
export function normalizeLineBreaks(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
