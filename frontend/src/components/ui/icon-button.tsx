import type { ComponentProps, ReactNode } from "react";

import { Button } from "./button";
import { Tooltip } from "./tooltip";

interface Props extends Omit<ComponentProps<typeof Button>, "children"> {
  /** Accessible name and tooltip. */
  label: string;
  children: ReactNode;
}

/** A button that shows only an icon. */
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
