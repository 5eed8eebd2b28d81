import { useEffect, type CSSProperties } from "react";
import { toast as sonner, Toaster } from "sonner";

import { useTheme } from "@/lib/theme";
import { setToastRenderer, type ToastMessage } from "@/lib/toast";

const PLAIN_MS = 4_000;
/** Long enough to read the message and to use its button. */
const ACTION_MS = 10_000;

/** Renders toast messages with sonner. */
export function ToastHost() {
  const theme = useTheme();
  useEffect(() => setToastRenderer(renderMessage), []);
  return (
    <Toaster
      theme={theme}
      position="bottom-right"
      closeButton
      gap={8}
      style={STYLE}
      toastOptions={{ classNames: { description: "text-ink-soft" } }}
    />
  );
}

const STYLE = {
  "--normal-bg": "var(--surface-raised)",
  "--normal-border": "var(--line)",
  "--normal-text": "var(--ink)",
  "--border-radius": "8px",
  "--width": "340px",
  fontFamily: "var(--font-sans)",
} as CSSProperties;

function renderMessage({ tone, text, action, persistent: lasting }: ToastMessage): void {
  const show = { success: sonner.success, error: sonner.error, plain: sonner }[tone];
  const long = action !== undefined || tone === "error";
  show(text, { action, duration: lasting ? Infinity : long ? ACTION_MS : PLAIN_MS });
}
