import { Fragment } from "react";

import { Kbd } from "@/components/ui/kbd";

/** `g d` as two keys, one after the other. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      {keys.split(" ").map((key, place) => (
        <Fragment key={place}>
          {place > 0 && <span className="sr-only">then</span>}
          <Kbd>{WORDS[key] ?? key}</Kbd>
        </Fragment>
      ))}
    </span>
  );
}

const WORDS: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};
