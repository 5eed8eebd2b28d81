import { JsonView } from "@/components/json-view/json-view";
import { Markdown } from "@/components/markdown/markdown";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { cn } from "@/lib/cn";

import type { Output } from "./parse-output";

export type OutputMode = "formatted" | "raw";

/** One output, laid out or as it came. */
export function OutputView({
  output,
  mode,
  level,
  className,
}: {
  output: Output;
  mode: OutputMode;
  /** The level of the highest heading inside. */
  level: number;
  className?: string;
}) {
  if (output.raw.trim() === "" && output.json === undefined) {
    return <p className={cn("text-ink-faint", className)}>The output is empty.</p>;
  }
  if (mode === "raw") return <Raw text={output.raw} className={className} />;
  if (output.json !== undefined) return <JsonView value={output.json} className={className} />;
  return <Markdown text={output.raw} level={level} className={className} />;
}

function Raw({ text, className }: { text: string; className?: string }) {
  return (
    <pre
      dir="auto"
      className={cn("font-mono text-[13px] leading-5 break-words whitespace-pre-wrap", className)}
    >
      {text}
    </pre>
  );
}

/** How the outputs of a page are shown. */
export function OutputModeSwitch({
  mode,
  onChange,
}: {
  mode: OutputMode;
  onChange: (mode: OutputMode) => void;
}) {
  return (
    <SegmentedControl
      label="Show outputs"
      options={[
        { value: "formatted", label: "Formatted" },
        { value: "raw", label: "Raw" },
      ]}
      value={mode}
      onChange={onChange}
    />
  );
}
