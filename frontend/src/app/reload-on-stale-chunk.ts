const RELOADED_KEY = "crewai-runner:reloaded-for-new-version";

/** Reloads an open page once when, after an upgrade, it requests files that no longer exist. */
export function reloadOnStaleChunk(): void {
  window.addEventListener("vite:preloadError", () => {
    if (!sessionStorage.getItem(RELOADED_KEY)) void reloadIfReachable();
  });
  window.addEventListener("load", () => {
    setTimeout(() => sessionStorage.removeItem(RELOADED_KEY), 10_000);
  });
}

/** Without a connection the files may still exist, and a reload would lose the current page. */
async function reloadIfReachable(): Promise<void> {
  const response = await fetch("/health", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return;
  sessionStorage.setItem(RELOADED_KEY, "1");
  location.reload();
}
