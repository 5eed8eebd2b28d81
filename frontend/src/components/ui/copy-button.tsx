import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

import { IconButton } from "./icon-button";

/** Copies a text to the clipboard and confirms it for two seconds. */
export function CopyButton({
  text,
  label = "Copy",
}: {
  text: string | (() => string);
  label?: string;
}) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");

  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      setState("copied");
    } catch {
      setState("failed");
    }
  };

  const currentLabel = { idle: label, copied: "Copied", failed: "Copy failed" }[state];
  return (
    <IconButton size="icon-sm" label={currentLabel} onClick={copy}>
      {state === "copied" ? <Check aria-hidden /> : <Copy aria-hidden />}
    </IconButton>
  );
}
