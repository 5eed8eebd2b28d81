import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";

interface TextDrafts {
  drafts: Readonly<Record<string, string>>;
}

/** Unsent text by name, kept for this browser tab until it is sent. */
const useTextDrafts = create<TextDrafts>()(
  persist(() => ({ drafts: {} }), {
    name: "crewai-runner:text-drafts",
    storage: createJSONStorage(() => ({
      getItem: (name) => sessionStorage.getItem(name),
      removeItem: (name) => sessionStorage.removeItem(name),
      setItem: (name, value) => {
        try {
          sessionStorage.setItem(name, value);
        } catch {
          // Storage is full: the drafts last until the page is reloaded.
        }
      },
    })),
  }),
);

export function getTextDraft(name: string): string {
  return useTextDrafts.getState().drafts[name] ?? "";
}

/** An empty text removes the draft. */
export function setTextDraft(name: string, text: string): void {
  const { [name]: _previous, ...others } = useTextDrafts.getState().drafts;
  useTextDrafts.setState({ drafts: text ? { ...others, [name]: text } : others });
}

/** A draft and its setter; all components using the same name share it. */
export function useTextDraft(name: string): [string, (text: string) => void] {
  const text = useTextDrafts(({ drafts }) => drafts[name] ?? "");
  return [text, (next) => setTextDraft(name, next)];
}
