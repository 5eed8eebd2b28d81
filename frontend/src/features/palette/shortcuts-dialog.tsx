import { Link } from "@tanstack/react-router";

import { Alert } from "@/components/ui/alert";
import { Dialog } from "@/components/ui/dialog";
import { useActiveShortcuts } from "@/hooks/use-shortcut";
import { usePreference } from "@/lib/preferences";
import type { Shortcut } from "@/lib/shortcuts";

import { ShortcutKeys } from "./shortcut-keys";

const ORDER = ["This page", "Go to", "Anywhere"];
const PALETTE_KEYS = /mac|iphone|ipad/i.test(navigator.userAgent) ? "⌘ K" : "Ctrl K";

/** Lists the shortcuts of the current page. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const [isEnabled] = usePreference("shortcuts");
  const groups = groupShortcuts(useActiveShortcuts());
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Keyboard shortcuts"
      description="Single-key shortcuts work while you are not typing."
    >
      {!isEnabled && (
        <Alert title="Single-key shortcuts are turned off" className="mb-4">
          <Link to="/settings" onClick={onClose} className="text-accent underline">
            Turn them on in the settings
          </Link>
        </Alert>
      )}
      <div className="grid gap-5">
        {groups.map(([name, shortcuts]) => (
          <section key={name}>
            <h3 className="mb-1 text-xs font-medium text-ink-faint">{name}</h3>
            <dl className="divide-y">
              {name === "Anywhere" && <Line name="Search or jump to" keys={PALETTE_KEYS} />}
              {shortcuts.map((one) => (
                <Line key={one.keys} name={one.description ?? ""} keys={one.keys} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function Line({ name, keys }: { name: string; keys: string }) {
  return (
    <div className="flex items-center justify-between gap-4 py-1.5">
      <dt>{name}</dt>
      <dd>
        <ShortcutKeys keys={keys} />
      </dd>
    </div>
  );
}

/** Groups shortcuts that have a description, without duplicates, the page's own first. */
function groupShortcuts(shortcuts: readonly Shortcut[]): [string, Shortcut[]][] {
  const groups = new Map<string, Map<string, Shortcut>>();
  for (const one of shortcuts) {
    if (!one.description) continue;
    const group = groups.get(one.group) ?? new Map<string, Shortcut>();
    groups.set(one.group, group.set(one.keys, one));
  }
  return [...groups]
    .map(([name, lines]): [string, Shortcut[]] => [name, [...lines.values()]])
    .toSorted(([a], [b]) => groupOrder(a) - groupOrder(b));
}

function groupOrder(group: string): number {
  const index = ORDER.indexOf(group);
  return index < 0 ? 0.5 : index;
}
