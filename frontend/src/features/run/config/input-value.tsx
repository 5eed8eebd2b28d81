import { useState } from "react";

import { isBranch } from "@/components/json-view/json-shape";
import { JsonView } from "@/components/json-view/json-view";
import { Button } from "@/components/ui/button";

const MAX_PREVIEW_LENGTH = 600;

/** The value of one input; long text is shortened until expanded. */
export function InputValue({ name, value }: { name: string; value: unknown }) {
  const [isExpanded, setExpanded] = useState(false);
  if (value === undefined || value === null) return <span className="text-ink-faint">not set</span>;
  if (isBranch(value)) return <JsonView value={value} />;
  if (typeof value !== "string") return <code className="font-mono">{JSON.stringify(value)}</code>;
  if (value === "") return <span className="text-ink-faint">empty</span>;
  const isLong = value.length > MAX_PREVIEW_LENGTH;
  return (
    <>
      <p dir="auto" className="break-words whitespace-pre-wrap">
        {isLong && !isExpanded ? `${value.slice(0, MAX_PREVIEW_LENGTH)}…` : value}
      </p>
      {isLong && (
        <Button variant="link" size="inline" onClick={() => setExpanded(!isExpanded)}>
          {isExpanded ? "Show less" : "Show all"} <span className="sr-only">of {name}</span>
        </Button>
      )}
    </>
  );
}
