import { lazy, Suspense } from "react";

import { cn } from "@/lib/cn";

const MarkdownBody = lazy(async () => ({
  default: (await import("./markdown-body")).MarkdownBody,
}));

/** Longer texts are shown as plain text: rendering them as Markdown would block the page. */
const MAX_LENGTH = 200_000;

interface Props {
  text: string;
  /** Level of the top headings, one below the heading of the surrounding section. */
  level?: number;
  className?: string;
}

/** Renders agent output as Markdown; it cannot run scripts, load resources or navigate. */
export function Markdown({ text, level = 3, className }: Props) {
  if (text.length > MAX_LENGTH) return <PlainText text={text} className={className} />;
  return (
    <Suspense fallback={<PlainText text={text} className={className} />}>
      <MarkdownBody text={text} level={level} className={className} />
    </Suspense>
  );
}

function PlainText({ text, className }: Pick<Props, "text" | "className">) {
  return (
    <div dir="auto" className={cn("break-words whitespace-pre-wrap", className)}>
      {text}
    </div>
  );
}
