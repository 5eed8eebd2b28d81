import { useCallback, useState } from "react";

import type { Workflow } from "@/lib/api/types";

import { useDrafts } from "./draft-store";

export interface DraftControls {
  text: string;
  /** The version on which the text builds. */
  base: number;
  changed: boolean;
  /** The text was found in this browser when the page was opened. */
  restored: boolean;
  /** Someone saved a newer version while this one was being changed. */
  outdated: boolean;
  setText: (text: string) => void;
  discard: () => void;
  /** Goes on from another version, keeping what is written. */
  rebase: (version: number) => void;
}

/** The text that is being worked on: the draft if there is one, else what the server has. */
export function useDraft({ id, yaml, version }: Workflow): DraftControls {
  const draft = useDrafts((state) => state.drafts[id]);
  const put = useDrafts((state) => state.put);
  const drop = useDrafts((state) => state.drop);
  const saved = plainBreaks(yaml);
  const [restored, setRestored] = useState(draft !== undefined && draft.text !== saved);
  const text = draft?.text ?? saved;
  const base = draft?.base ?? version;
  const setText = useCallback(
    (next: string) => (next === saved ? drop(id) : put(id, next, base)),
    [put, drop, id, base, saved],
  );
  const discard = useCallback(() => {
    setRestored(false);
    drop(id);
  }, [drop, id]);
  const rebase = useCallback((to: number) => put(id, text, to), [put, id, text]);
  const changed = text !== saved;
  const outdated = changed && base !== version;
  return { text, base, changed, restored: restored && changed, outdated, setText, discard, rebase };
}

/** As the editor counts lines: each ends with one character. */
export function plainBreaks(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
