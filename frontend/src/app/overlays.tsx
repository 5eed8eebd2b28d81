import { lazyComponent } from "@/components/lazy-component";

import { Drawer } from "./drawer";
import type { Overlay } from "./overlay";

const Palette = lazyComponent(
  async () => (await import("@/features/palette/command-palette")).CommandPalette,
);
const ShortcutsSheet = lazyComponent(
  async () => (await import("@/features/palette/shortcuts-dialog")).ShortcutsDialog,
);

interface Props {
  open: Overlay;
  onChange: (next: Overlay | null) => void;
}

/** Renders the open overlay; the code of each is loaded on first use. */
export function Overlays({ open, onChange }: Props) {
  const close = () => onChange(null);
  return (
    <>
      {open === "drawer" && <Drawer onClose={close} />}
      {open === "palette" && (
        <Palette onClose={close} onShowShortcuts={() => onChange("shortcuts")} />
      )}
      {open === "shortcuts" && <ShortcutsSheet onClose={close} />}
    </>
  );
}
