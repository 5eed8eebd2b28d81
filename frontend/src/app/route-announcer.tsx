import { useEffect, useRef, useState } from "react";

/** Later title changes have nothing to do with the navigation. */
const TITLE_TIMEOUT_MS = 5_000;
/** Titles are often set twice: before and after the page's data is loaded. */
const SETTLE_MS = 200;

/** Announces the title of a new page to screen readers and moves the focus to it. */
export function RouteAnnouncer({ pathname }: { pathname: string }) {
  const [announcement, setAnnouncement] = useState("");
  // The browser announces the first page itself.
  const announced = useRef(pathname);

  useEffect(() => {
    if (announced.current === pathname) return;
    announced.current = pathname;
    focusMain();
    return announceTitle(setAnnouncement);
  }, [pathname]);

  return (
    <p role="status" className="sr-only">
      {announcement}
    </p>
  );
}

function focusMain(): void {
  const main = document.getElementById("main");
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

/** Calls back with the document's title whenever it has not changed for a moment. */
function announceTitle(announce: (title: string) => void): () => void {
  let pending: ReturnType<typeof setTimeout>;
  const schedule = () => {
    clearTimeout(pending);
    pending = setTimeout(() => announce(document.title), SETTLE_MS);
  };
  const observer = new MutationObserver(schedule);
  const title = document.querySelector("title");
  if (title) observer.observe(title, { childList: true, characterData: true, subtree: true });
  schedule();
  const timeout = setTimeout(() => observer.disconnect(), TITLE_TIMEOUT_MS);
  return () => {
    clearTimeout(timeout);
    clearTimeout(pending);
    observer.disconnect();
  };
}
