import { useEffect, useRef } from "react";

import { cn } from "@/lib/cn";

const NEAR_END_PX = 40;

interface Props {
  label: string;
  text: string;
  /** Whether the text grows. */
  follow: boolean;
  className?: string;
}

/** A log. While it grows, its end stays visible unless the user has scrolled up. */
export function LogText({ label, text, follow, className }: Props) {
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (element && text && follow && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [text, follow]);
  const noteScroll = () => {
    const element = box.current;
    if (!element) return;
    const distance = element.scrollHeight - element.scrollTop - element.clientHeight;
    isAtEnd.current = distance < NEAR_END_PX;
  };
  return (
    <pre
      ref={box}
      onScroll={noteScroll}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
      tabIndex={0}
      role="region"
      aria-label={label}
      className={cn(
        "max-h-[32rem] overflow-auto rounded-md border bg-sunken px-3 py-2 font-mono text-[13px] leading-5 wrap-anywhere whitespace-pre-wrap focus-visible:-outline-offset-2",
        className,
      )}
    >
      {text}
    </pre>
  );
}
