import { lazy, Suspense } from "react";

import { cn } from "@/lib/cn";

const MarkdownBody = lazy(async () => ({
  default: (await import("./markdown-body")).MarkdownBody,
}));

/** Beyond this many characters a text is shown as it is: laying it out would hold up the page. */
const LONGEST = 200_000;

interface Props {
  text: string;
  /** The level of the text's highest heading, one below the heading that it stands under. */
  level?: number;
  className?: string;
}

/** A text of an agent, laid out; nothing in it can run, load or leave the page by itself. */
export function Markdown({ text, level = 3, className }: Props) {
  if (text.length > LONGEST) return <PlainText text={text} className={className} />;
  return (
    <Suspense fallback={<PlainText text={text} className={className} />}>
      <MarkdownBody text={text} level={level} className={className} />
    </Suspense>
  );
}

/** A text as it was written. */
function PlainText({ text, className }: Pick<Props, "text" | "className">) {
  return (
    <div dir="auto" className={cn("break-words whitespace-pre-wrap", className)}>
      {text}
    </div>
  );
}
