import { JsonView } from "@/components/json-view/json-view";
import { Markdown } from "@/components/markdown/markdown";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { cn } from "@/lib/cn";

import type { Output } from "./parse-output";

export type OutputMode = "formatted" | "raw";

interface Props {
  output: Output;
  mode: OutputMode;
  /** Level of the highest heading inside. */
  level: number;
  className?: string;
}

/** One output as Markdown, as a JSON tree or as raw text. */
export function OutputView({ output, mode, level, className }: Props) {
  if (output.raw.trim() === "" && output.json === undefined) {
    return <p className={cn("text-ink-faint", className)}>The output is empty.</p>;
  }
  if (mode === "raw") {
    return (
      <pre
        dir="auto"
        className={cn("font-mono text-[13px] leading-5 break-words whitespace-pre-wrap", className)}
      >
        {output.raw}
      </pre>
    );
  }
  if (output.json !== undefined) return <JsonView value={output.json} className={className} />;
  return <Markdown text={output.raw} level={level} className={className} />;
}

/** Switches between formatted and raw outputs. */
export function OutputModeSwitch({
  mode,
  onChange,
}: {
  mode: OutputMode;
  onChange: (mode: OutputMode) => void;
}) {
  return (
    <SegmentedControl
      label="Output format"
      options={[
        { value: "formatted", label: "Formatted" },
        { value: "raw", label: "Raw" },
      ]}
      value={mode}
      onChange={onChange}
    />
  );
}
