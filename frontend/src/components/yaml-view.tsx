import { useMemo } from "react";

import { cn } from "@/lib/cn";
import { tokenizeYaml, type TokenKind } from "@/lib/tokenize-yaml";

const COLOURS: Record<TokenKind, string> = {
  key: "text-(--code-key)",
  text: "text-(--code-text)",
  number: "text-(--code-number)",
  comment: "text-(--code-comment) italic",
  plain: "",
};

interface Props {
  text: string;
  /** Accessible name of the region. */
  label: string;
  className?: string;
}

/** Read-only YAML with line numbers, in a scrollable region. */
export function YamlView({ text, label, className }: Props) {
  const lines = useMemo(() => tokenizeYaml(text.replace(/\n$/, "")), [text]);
  return (
    <pre
      role="region"
      aria-label={label}
      // Scrollable regions must be focusable.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className={cn(
        "overflow-auto rounded-md border bg-sunken py-2 font-mono text-[13px] leading-5 [counter-reset:line]",
        className,
      )}
    >
      <code className="block w-max min-w-full">
        {lines.map((tokens, index) => (
          <span
            key={index}
            className="block min-h-5 pr-4 [counter-increment:line] before:mr-4 before:inline-block before:w-10 before:text-right before:text-ink-faint before:content-[counter(line)] before:select-none"
          >
            {tokens.map((token, at) => (
              <span key={at} className={COLOURS[token.kind]}>
                {token.text}
              </span>
            ))}
            {"\n"}
          </span>
        ))}
      </code>
    </pre>
  );
}
