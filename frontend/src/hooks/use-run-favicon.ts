import { useEffect } from "react";

import type { RunState } from "@/lib/api/types";

const DOT: Record<RunState, string> = {
  queued: "#8b95a7",
  running: "#2f7df0",
  waiting: "#f0a020",
  stopping: "#f0a020",
  completed: "#22a55a",
  failed: "#e0382e",
  stopped: "#8b95a7",
  crashed: "#e0382e",
};

/** Adds a dot in the colour of the run's state to the favicon. */
export function useRunFavicon(state: RunState | null): void {
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (!link || !state) return;
    const original = link.getAttribute("href") ?? "/favicon.svg";
    link.setAttribute("href", iconWithDot(DOT[state]));
    return () => link.setAttribute("href", original);
  }, [state]);
}

/** The icon of `/favicon.svg` with a dot at the lower right. */
function iconWithDot(colour: string): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4f46e5"/><g fill="#fff"><circle cx="10" cy="11" r="3.5"/><circle cx="22" cy="11" r="3.5"/><circle cx="16" cy="22" r="3.5"/></g><path d="M10 11h12M10 11l6 11 6-11" stroke="#fff" stroke-width="1.6" fill="none"/><circle cx="23" cy="23" r="8" fill="${colour}" stroke="#fff" stroke-width="2"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
