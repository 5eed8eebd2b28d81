import { ImageIcon, Square, SquareCheck } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import type { Components } from "react-markdown";

import { cn } from "@/lib/cn";

import { linkHost, safeHref } from "./links";

const HEADING = "mt-2 font-semibold first:mt-0";

/** Components for each Markdown element. Headings have no ids: they could clash between two texts. */
export const markdownComponents: Components = {
  h2: ({ children, className }) => (
    <h2 className={cn(HEADING, "text-lg leading-6", className)}>{children}</h2>
  ),
  h3: ({ children, className }) => (
    <h3 className={cn(HEADING, "text-base leading-6", className)}>{children}</h3>
  ),
  h4: ({ children, className }) => <h4 className={cn(HEADING, className)}>{children}</h4>,
  h5: ({ children, className }) => (
    <h5 className={cn(HEADING, "text-ink-soft", className)}>{children}</h5>
  ),
  h6: ({ children, className }) => (
    <h6 className={cn(HEADING, "text-ink-soft", className)}>{children}</h6>
  ),
  p: ({ children }) => <p className="max-w-prose">{children}</p>,
  ul: ({ children, className }) => (
    <ul className={cn("grid max-w-prose gap-1 pl-5", isTaskList(className) ? "pl-0" : "list-disc")}>
      {children}
    </ul>
  ),
  ol: ({ children, start }) => (
    <ol start={start} className="grid max-w-prose list-decimal gap-1 pl-6">
      {children}
    </ol>
  ),
  // Footnotes link to these ids and back.
  li: ({ children, id }) => (
    <li id={id} className="[&>ol]:mt-1 [&>ul]:mt-1">
      {children}
    </li>
  ),
  blockquote: ({ children }) => (
    <blockquote className="grid max-w-prose gap-2 border-l-2 border-line-strong pl-3 text-ink-soft">
      {children}
    </blockquote>
  ),
  hr: () => <hr className="my-1" />,
  a: ({ href, id, children }) => (
    <SafeLink href={href} id={id}>
      {children}
    </SafeLink>
  ),
  img: ({ src, alt }) => <ImageLink src={typeof src === "string" ? src : ""} alt={alt} />,
  input: ({ checked }) => <TaskCheckbox done={Boolean(checked)} />,
  pre: ({ children }) => <ScrollBox name="Code">{<pre>{children}</pre>}</ScrollBox>,
  code: ({ children, className }) => (
    <code className={cn("font-mono text-[0.93em]", !className && INLINE_CODE)}>{children}</code>
  ),
  table: ({ children }) => (
    <ScrollBox name="Table">
      <table className="border-collapse text-left">{children}</table>
    </ScrollBox>
  ),
  th: ({ children, style }) => (
    <th scope="col" style={style} className="border-b px-3 py-1 font-medium text-ink-soft">
      {children}
    </th>
  ),
  td: ({ children, style }) => (
    <td style={style} className="border-b px-3 py-1 align-top">
      {children}
    </td>
  ),
};

// A code block without a language has no class name either; the `pre` variants reset the style there.
const INLINE_CODE =
  "rounded-sm bg-hover px-1 py-0.5 [pre_&]:bg-transparent [pre_&]:p-0 [pre_&]:text-[1em]";

function isTaskList(className: string | undefined): boolean {
  return className?.includes("contains-task-list") ?? false;
}

/** A link that sends no referrer; an unsafe link is rendered as plain text. */
function SafeLink({ href, id, children }: { href?: string; id?: string; children: ReactNode }) {
  if (!href) return <span>{children}</span>;
  const styles = "text-accent underline underline-offset-2 break-words";
  if (href.startsWith("#")) {
    return (
      <a href={href} id={id} className={styles}>
        {children}
      </a>
    );
  }
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" className={styles}>
      {children}
    </a>
  );
}

/** Images are shown as links: loading them would reveal the reader to their server. */
function ImageLink({ src, alt }: { src: string; alt?: string }) {
  const label = alt?.trim() || "Image";
  const href = safeHref(src);
  return (
    <span className="inline-flex max-w-full items-center gap-1 align-bottom">
      <ImageIcon aria-hidden className="size-4 shrink-0 text-ink-faint" />
      <SafeLink href={href}>
        {label}
        {href && <span className="text-ink-faint"> ({linkHost(href)})</span>}
      </SafeLink>
    </span>
  );
}

function TaskCheckbox({ done }: { done: boolean }) {
  const Icon = done ? SquareCheck : Square;
  return (
    <>
      <Icon aria-hidden className="mr-1 inline size-4 align-text-bottom text-ink-soft" />
      <span className="sr-only">{done ? "Done: " : "To do: "}</span>
    </>
  );
}

/** A horizontally scrolling box for wide content, reachable by keyboard. */
function ScrollBox({ name, children }: { name: string } & Pick<ComponentProps<"div">, "children">) {
  return (
    <div
      role="group"
      aria-label={name}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll container must be reachable by keyboard
      tabIndex={0}
      className={cn(
        "overflow-x-auto rounded-md",
        name === "Code" && "border bg-sunken px-3 py-2 font-mono text-[13px]",
      )}
    >
      {children}
    </div>
  );
}
