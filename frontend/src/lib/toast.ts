/** Short notes that confirm what was done; the code that draws them comes when the page has nothing better to do. */

export interface ToastAction {
  label: string;
  onClick: () => void;
}

export interface ToastMessage {
  tone: "success" | "error" | "plain";
  text: string;
  action?: ToastAction;
  /** Stays until it is closed. */
  persistent?: boolean;
}

interface Options {
  action?: ToastAction;
  persistent?: boolean;
}

type Draw = (note: ToastMessage) => void;

let draw: Draw | null = null;
let early: ToastMessage[] = [];

export const toast = {
  success: (text: string, options?: Options) => showToast({ tone: "success", text, ...options }),
  error: (text: string, options?: Options) => showToast({ tone: "error", text, ...options }),
  plain: (text: string, options?: Options) => showToast({ tone: "plain", text, ...options }),
  /** Says what was done, and offers to take it back. */
  undo: (text: string, onUndo: () => void) =>
    showToast({ tone: "success", text, action: { label: "Undo", onClick: onUndo } }),
};

/** Draws every note with `next`, the early ones first; the answer ends it. */
export function setToastRenderer(next: Draw): () => void {
  draw = next;
  const waiting = early;
  early = [];
  for (const note of waiting) next(note);
  return () => {
    if (draw === next) draw = null;
  };
}

function showToast(note: ToastMessage): void {
  if (draw) draw(note);
  else early.push(note);
}
