import { useRef, useState, type ReactNode } from "react";

import { lazyComponent } from "./lazy-component";
import { IconButton } from "./ui/icon-button";

const load = () => import("./flyout-panel");
const FlyoutPanel = lazyComponent(async () => (await load()).FlyoutPanel);

interface Props {
  /** The accessible name of the button and of the panel, and the tooltip. */
  label: string;
  icon: ReactNode;
  className?: string;
  /** Renders the panel; links and actions in it call `close`. */
  children: (close: () => void) => ReactNode;
}

/** An icon button that opens a panel; the panel's code is loaded on hover or focus. */
export function Flyout({ label, icon, className, children }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => setOpen(false);
  return (
    <>
      <IconButton
        ref={button}
        label={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        onPointerEnter={load}
        onFocus={load}
      >
        {icon}
      </IconButton>
      {open && (
        <FlyoutPanel anchor={button} label={label} className={className} onClose={close}>
          {children(close)}
        </FlyoutPanel>
      )}
    </>
  );
}
