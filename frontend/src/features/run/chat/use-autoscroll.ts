import { useEffect, useRef, useState } from "react";

const END_TOLERANCE_PX = 48;

/** Keeps a container scrolled to its end as the content grows, unless the user has scrolled up. */
export function useAutoscroll() {
  const [isScrolledAway, setScrolledAway] = useState(false);
  const container = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);

  const scrollToEnd = () => {
    isAtEnd.current = true;
    setScrolledAway(false);
    if (container.current) container.current.scrollTop = container.current.scrollHeight;
  };

  const onScroll = () => {
    if (!container.current) return;
    const { scrollHeight, scrollTop, clientHeight } = container.current;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < END_TOLERANCE_PX;
    setScrolledAway(!isAtEnd.current);
  };

  // The content grows with streamed text and late layout, and changes with the window size.
  useEffect(() => {
    const [element, inner] = [container.current, content.current];
    if (!element || !inner || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(inner);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { container, content, onScroll, isScrolledAway, scrollToEnd };
}
