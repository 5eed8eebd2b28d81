import type { ComponentProps, ReactNode } from "react";

import { Button } from "./button";
import { Tooltip } from "./tooltip";

interface Props extends Omit<ComponentProps<typeof Button>, "children"> {
  /** What the button does: its name for a screen reader, and its tooltip. */
  label: string;
  children: ReactNode;
}

/** A button that shows an icon only. */
export function IconButton({ label, children, variant = "ghost", size = "icon", ...rest }: Props) {
  return (
    <Tooltip text={label}>
      <Button variant={variant} size={size} {...rest}>
        {children}
        <span className="sr-only">{label}</span>
      </Button>
    </Tooltip>
  );
}
