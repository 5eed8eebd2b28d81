import { useId, useMemo } from "react";
import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";

import { cn } from "@/lib/cn";

import { safeHref } from "./links";
import { markdownComponents } from "./markdown-components";
import { normalizeHeadings } from "./normalize-headings";

interface Props {
  text: string;
  level: number;
  className?: string;
}

/** Renders Markdown as React elements: raw HTML is dropped, URLs are filtered by `safeHref`. */
export function MarkdownBody({ text, level, className }: Props) {
  // Footnotes have ids, which must be unique across all texts on the page.
  const prefix = `${useId()}-`;
  const rehype = useMemo(() => [normalizeHeadings(level)], [level]);
  return (
    <div dir="auto" className={cn("grid min-w-0 gap-2.5 break-words [&>*]:min-w-0", className)}>
      <ReactMarkdown
        skipHtml
        remarkPlugins={[remarkGfm]}
        remarkRehypeOptions={{ clobberPrefix: prefix }}
        rehypePlugins={rehype}
        urlTransform={safeHref}
        components={markdownComponents}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
