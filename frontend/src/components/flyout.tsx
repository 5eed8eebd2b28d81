import { useRef, useState, type ReactNode } from "react";

import { lazyComponent } from "./lazy-component";
import { IconButton } from "./ui/icon-button";

const load = () => import("./flyout-panel");
const FlyoutPanel = lazyComponent(async () => (await load()).FlyoutPanel);

interface Props {
  /** What it opens: the button's name and its tooltip, and the panel's name. */
  label: string;
  icon: ReactNode;
  className?: string;
  /** The panel; `close` is for the links and actions in it. */
  children: (close: () => void) => ReactNode;
}

/** An icon button with a panel; the code of the panel comes when somebody reaches for it. */
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
