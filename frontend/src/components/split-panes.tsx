import type { ReactNode } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";

import { cn } from "@/lib/cn";
import { usePreference } from "@/lib/preferences";

interface Props {
  first: ReactNode;
  second: ReactNode;
  /** The preference that stores the widths. */
  preference: "runPanes" | "editorPanes";
  /** Default widths in percent. */
  widths: readonly [number, number];
  minSizes: readonly [string, string];
  /** Accessible name of the separator. */
  label: string;
  className?: string;
}

/** Two resizable panes side by side; their widths are a preference. */
export function SplitPanes(props: Props) {
  const { first, second, preference, widths, minSizes, label, className } = props;
  const [panes, setPanes] = usePreference(preference);
  return (
    <Group
      orientation="horizontal"
      className={cn("h-full", className)}
      defaultLayout={{ first: panes[0] ?? widths[0], second: panes[1] ?? widths[1] }}
      onLayoutChanged={(now) => setPanes([now.first ?? widths[0], now.second ?? widths[1]])}
    >
      <Panel id="first" minSize={minSizes[0]}>
        {first}
      </Panel>
      <Separator
        aria-label={label}
        className="w-px bg-line outline-offset-0 transition-colors hover:bg-accent data-[separator=active]:bg-accent"
      />
      <Panel id="second" minSize={minSizes[1]}>
        {second}
      </Panel>
    </Group>
  );
}
