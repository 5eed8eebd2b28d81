import { useEffect, useRef, useState } from "react";

/** A page whose name comes later than this is not the answer to the click any more. */
const ARRIVAL_MS = 5_000;
/** Titles are often set twice: at first without, then with what was loaded. */
const SETTLED_MS = 200;

/** Says the name of the page one has come to, and gives it the focus. */
export function Announcer({ pathname }: { pathname: string }) {
  const [said, setSaid] = useState("");
  // The page one has opened the product with is told by the browser itself.
  const announced = useRef(pathname);

  useEffect(() => {
    if (announced.current === pathname) return;
    announced.current = pathname;
    focusMain();
    return announceTitle(setSaid);
  }, [pathname]);

  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}

function focusMain(): void {
  const main = document.getElementById("main");
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

function announceTitle(say: (title: string) => void): () => void {
  let settling: ReturnType<typeof setTimeout>;
  const settle = () => {
    clearTimeout(settling);
    settling = setTimeout(() => say(document.title), SETTLED_MS);
  };
  const observer = new MutationObserver(settle);
  const title = document.querySelector("title");
  if (title) observer.observe(title, { childList: true, characterData: true, subtree: true });
  settle();
  const arrived = setTimeout(() => observer.disconnect(), ARRIVAL_MS);
  return () => {
    clearTimeout(arrived);
    clearTimeout(settling);
    observer.disconnect();
  };
}
