import { useEffect, useRef, useState } from "react";

const NEAR = 48;

/** Keeps a box at its end while its reader is there; whoever has scrolled up is left in peace. */
export function useAutoscroll() {
  const [away, setAway] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLOListElement>(null);
  const stays = useRef(true);

  const toEnd = () => {
    stays.current = true;
    setAway(false);
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };

  const onScroll = () => {
    if (!box.current) return;
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    stays.current = scrollHeight - scrollTop - clientHeight < NEAR;
    setAway(!stays.current);
  };

  // The content grows by streamed words, by what is laid out late, and when the window changes.
  useEffect(() => {
    const [element, inside] = [box.current, content.current];
    if (!element || !inside || typeof ResizeObserver === "undefined") return;
    const growth = new ResizeObserver(() => {
      if (stays.current) element.scrollTop = element.scrollHeight;
    });
    growth.observe(inside);
    growth.observe(element);
    return () => growth.disconnect();
  }, []);

  return { box, content, onScroll, away, toEnd };
}
