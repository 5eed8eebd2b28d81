import { Command as Cmdk } from "cmdk";

import { ShortcutKeys } from "./shortcut-keys";
import type { Command } from "./use-static-commands";

interface Props {
  heading: string;
  commands: Command[];
  onDone: () => void;
  /** Ignores the filter. */
  alwaysShown?: boolean;
}

/** Commands under a heading. */
export function PaletteGroup({ heading, commands, onDone, alwaysShown }: Props) {
  if (commands.length === 0) return null;
  return (
    <Cmdk.Group
      heading={heading}
      forceMount={alwaysShown}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-ink-faint"
    >
      {commands.map((command) => (
        <Cmdk.Item
          key={command.id}
          value={command.id}
          keywords={[command.name, ...(command.keywords ?? [])]}
          forceMount={alwaysShown}
          onSelect={() => {
            onDone();
            command.run();
          }}
          className="flex min-h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 aria-selected:bg-hover max-sm:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-soft"
        >
          <command.Icon aria-hidden />
          <span className="min-w-0 flex-1 truncate">{command.name}</span>
          {command.keys && (
            <span aria-hidden className="max-sm:hidden">
              <ShortcutKeys keys={command.keys} />
            </span>
          )}
        </Cmdk.Item>
      ))}
    </Cmdk.Group>
  );
}
