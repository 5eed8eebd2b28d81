import { useState } from "react";

import { JsonView } from "@/components/json-view/json-view";
import { isBranch } from "@/components/json-view/json-shape";
import { Button } from "@/components/ui/button";

const LONG = 600;

/** One value as it was given; a long text shows its beginning first. */
export function InputValue({ name, value }: { name: string; value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (value === undefined || value === null)
    return <span className="text-ink-faint">not given</span>;
  if (isBranch(value)) return <JsonView value={value} />;
  if (typeof value !== "string") return <code className="font-mono">{JSON.stringify(value)}</code>;
  if (value === "") return <span className="text-ink-faint">empty text</span>;
  const long = value.length > LONG;
  return (
    <>
      <p dir="auto" className="break-words whitespace-pre-wrap">
        {long && !whole ? `${value.slice(0, LONG)}…` : value}
      </p>
      {long && (
        <Button variant="link" size="inline" onClick={() => setWhole(!whole)}>
          {whole ? "Show less" : "Show all"} <span className="sr-only">of {name}</span>
        </Button>
      )}
    </>
  );
}
