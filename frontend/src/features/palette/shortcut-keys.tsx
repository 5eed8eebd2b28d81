import { Fragment } from "react";

import { Kbd } from "@/components/ui/kbd";

/** Shows the keys of a shortcut: `g d` as two keys in sequence. */
export function ShortcutKeys({ keys }: { keys: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      {keys.split(" ").map((key, index) => (
        <Fragment key={index}>
          {index > 0 && <span className="sr-only">then</span>}
          <Kbd>{LABELS[key] ?? key}</Kbd>
        </Fragment>
      ))}
    </span>
  );
}

const LABELS: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};
