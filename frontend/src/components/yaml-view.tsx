import { useMemo } from "react";

import { cn } from "@/lib/cn";
import { yamlTokens, type TokenKind } from "@/lib/yaml-tokens";

const COLOURS: Record<TokenKind, string> = {
  key: "text-(--code-key)",
  text: "text-(--code-text)",
  number: "text-(--code-number)",
  comment: "text-(--code-comment) italic",
  plain: "",
};

interface Props {
  text: string;
  /** What the text is, for a screen reader. */
  label: string;
  className?: string;
}

/** A YAML text to read, with numbered lines; it scrolls inside itself. */
export function YamlView({ text, label, className }: Props) {
  const lines = useMemo(() => yamlTokens(text.replace(/\n$/, "")), [text]);
  return (
    <pre
      role="region"
      aria-label={label}
      // Scrolls, so the keyboard must reach it.
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
