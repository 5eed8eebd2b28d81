import type { ReactNode } from "react";

import { CopyButton } from "@/components/ui/copy-button";

interface Props {
  title: string;
  text: string;
  isStreaming?: boolean;
  children?: ReactNode;
}

/** A titled text with a copy button, and a caret while it is being streamed. */
export function TextBlock({ title, text, isStreaming, children }: Props) {
  return (
    <section className="grid gap-1">
      <header className="flex h-7 items-center justify-between">
        <h3 className="text-xs font-medium text-ink-faint">{title}</h3>
        {text && <CopyButton text={text} label={`Copy ${title.toLowerCase()}`} />}
      </header>
      <div
        dir="auto"
        className="rounded-md border bg-sunken px-3 py-2 break-words whitespace-pre-wrap"
      >
        {text}
        {isStreaming && (
          <span
            aria-hidden
            className="ml-px inline-block h-4 w-1.5 translate-y-0.5 animate-pulse bg-live"
          />
        )}
      </div>
      {children}
    </section>
  );
}
