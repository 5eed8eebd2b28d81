/** What is written but not saved, for each workflow; kept in this browser until it is saved or discarded. */
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";

export interface Draft {
  text: string;
  /** The version it began from: a save over a newer one is a conflict. */
  base: number;
  /** When it was last changed, in milliseconds. */
  at: number;
}

interface DraftState {
  drafts: Record<string, Draft>;
  put: (workflowId: string, text: string, base: number) => void;
  drop: (workflowId: string) => void;
}

const KEPT = 30;

export const useDrafts = create<DraftState>()(
  persist(
    (set) => ({
      drafts: {},
      put: (workflowId, text, base) =>
        set(({ drafts }) => ({
          drafts: newest({ ...drafts, [workflowId]: { text, base, at: Date.now() } }),
        })),
      drop: (workflowId) =>
        set(({ drafts }) => {
          const { [workflowId]: _gone, ...rest } = drafts;
          return { drafts: rest };
        }),
    }),
    {
      name: "crewai-runner:drafts",
      version: 1,
      storage: createJSONStorage(() => ({
        getItem: (name) => localStorage.getItem(name),
        removeItem: (name) => localStorage.removeItem(name),
        // A full storage costs the draft's survival of a reload, not the draft.
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

/** The store does not grow without end: the drafts touched last are kept. */
function newest(drafts: Record<string, Draft>): Record<string, Draft> {
  return Object.fromEntries(
    Object.entries(drafts)
      .toSorted(([, one], [, two]) => two.at - one.at)
      .slice(0, KEPT),
  );
}
