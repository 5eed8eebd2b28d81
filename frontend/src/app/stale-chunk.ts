const MARK = "crewai-runner:reloaded-for-new-version";

/** After an upgrade an open page asks for files that are gone: it then loads itself anew, once. */
export function reloadOnStaleChunk(): void {
  window.addEventListener("vite:preloadError", () => {
    if (!sessionStorage.getItem(MARK)) void reloadIfServed();
  });
  window.addEventListener("load", () => {
    setTimeout(() => sessionStorage.removeItem(MARK), 10_000);
  });
}

/** Without a connection a file is not gone but out of reach, and the page one has is worth more than none. */
async function reloadIfServed(): Promise<void> {
  const answer = await fetch("/health", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  sessionStorage.setItem(MARK, "1");
  location.reload();
}
