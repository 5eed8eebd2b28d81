import type { ReactNode } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";

import { cn } from "@/lib/cn";
import { usePreference } from "@/lib/preferences";

interface Props {
  first: ReactNode;
  second: ReactNode;
  /** Where their widths are remembered. */
  remembered: "runPanes" | "editorPanes";
  /** Their widths in percent, until somebody has moved the separator. */
  widths: readonly [number, number];
  smallest: readonly [string, string];
  /** What the separator is called. */
  label: string;
  className?: string;
}

/** Two panes side by side; their widths are remembered. */
export function SplitPanes(props: Props) {
  const { first, second, remembered, widths, smallest, label, className } = props;
  const [panes, setPanes] = usePreference(remembered);
  return (
    <Group
      orientation="horizontal"
      className={cn("h-full", className)}
      defaultLayout={{ first: panes[0] ?? widths[0], second: panes[1] ?? widths[1] }}
      onLayoutChanged={(now) => setPanes([now.first ?? widths[0], now.second ?? widths[1]])}
    >
      <Panel id="first" minSize={smallest[0]}>
        {first}
      </Panel>
      <Separator
        aria-label={label}
        className="w-px bg-line outline-offset-0 transition-colors hover:bg-accent data-[separator=active]:bg-accent"
      />
      <Panel id="second" minSize={smallest[1]}>
        {second}
      </Panel>
    </Group>
  );
}
