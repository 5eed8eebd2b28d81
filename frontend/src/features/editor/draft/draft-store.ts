import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";

export interface Draft {
  text: string;
  /** The version on which the draft is based; saving over a newer one is a conflict. */
  base: number;
  /** Time of the last change, in milliseconds. */
  at: number;
}

interface DraftState {
  drafts: Record<string, Draft>;
  setDraft: (workflowId: string, text: string, base: number) => void;
  deleteDraft: (workflowId: string) => void;
}

const MAX_DRAFTS = 30;

/** Unsaved changes by workflow id, kept in this browser until they are saved or discarded. */
export const useDraftStore = create<DraftState>()(
  persist(
    (set) => ({
      drafts: {},
      setDraft: (workflowId, text, base) =>
        set(({ drafts }) => ({
          drafts: keepNewest({ ...drafts, [workflowId]: { text, base, at: Date.now() } }),
        })),
      deleteDraft: (workflowId) =>
        set(({ drafts }) => {
          const { [workflowId]: _deleted, ...rest } = drafts;
          return { drafts: rest };
        }),
    }),
    {
      name: "crewai-runner:drafts",
      version: 1,
      storage: createJSONStorage(() => ({
        getItem: (name) => localStorage.getItem(name),
        removeItem: (name) => localStorage.removeItem(name),
        // When the storage is full, the draft is lost on reload, but editing continues.
        setItem: (name, value) => {
          try {
            localStorage.setItem(name, value);
          } catch {
            localStorage.removeItem(name);
          }
        },
      })),
      partialize: ({ drafts }) => ({ drafts }),
    },
  ),
);

function keepNewest(drafts: Record<string, Draft>): Record<string, Draft> {
  return Object.fromEntries(
    Object.entries(drafts)
      .toSorted(([, one], [, two]) => two.at - one.at)
      .slice(0, MAX_DRAFTS),
  );
}
