/** Toast messages. They are queued until the component that renders them has been loaded. */

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

type Options = Pick<ToastMessage, "action" | "persistent">;
type Renderer = (message: ToastMessage) => void;

let renderer: Renderer | null = null;
let queue: ToastMessage[] = [];

export const toast = {
  success: (text: string, options?: Options) => showToast({ tone: "success", text, ...options }),
  error: (text: string, options?: Options) => showToast({ tone: "error", text, ...options }),
  plain: (text: string, options?: Options) => showToast({ tone: "plain", text, ...options }),
  /** Confirms an action and offers to undo it. */
  undo: (text: string, onUndo: () => void) =>
    showToast({ tone: "success", text, action: { label: "Undo", onClick: onUndo } }),
};

/** Renders queued and future messages with `next` until the returned function is called. */
export function setToastRenderer(next: Renderer): () => void {
  renderer = next;
  const queued = queue;
  queue = [];
  for (const message of queued) next(message);
  return () => {
    if (renderer === next) renderer = null;
  };
}

function showToast(message: ToastMessage): void {
  if (renderer) renderer(message);
  else queue.push(message);
}
