import { DropdownMenu } from "radix-ui";
import { useState, type ReactNode } from "react";

import { cn } from "@/lib/cn";

/** A dropdown menu of actions. */
export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
}) {
  // The menu is rendered inside the landmark of its button: content outside of landmarks fails axe.
  const [container, setContainer] = useState<HTMLElement | null>(null);
  return (
    // Not modal: hiding the page from screen readers would hide its landmarks while focus can still leave.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild ref={(button) => setContainer(landmarkOf(button))}>
        {trigger}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={container}>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-48 animate-appear rounded-md border bg-raised p-1 shadow-lg"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function landmarkOf(button: HTMLElement | null): HTMLElement | null {
  return button?.closest("[role=dialog]") ? null : (button?.closest("main") ?? null);
}

interface ItemProps {
  onSelect?: () => void;
  disabled?: boolean;
  danger?: boolean;
  /** Applies the styles to the only child, e.g. a link. */
  asChild?: boolean;
  children: ReactNode;
}

export function MenuItem({ danger, children, ...rest }: ItemProps) {
  return (
    <DropdownMenu.Item
      {...rest}
      className={cn(
        "flex min-h-8 cursor-pointer items-center gap-2 rounded-sm px-2 text-left outline-none data-disabled:cursor-not-allowed data-disabled:opacity-50 data-highlighted:bg-hover max-sm:min-h-11 [&_svg]:size-4",
        danger && "text-err",
      )}
    >
      {children}
    </DropdownMenu.Item>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
