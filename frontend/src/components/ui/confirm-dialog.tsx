import { AlertDialog } from "radix-ui";
import type { ReactNode } from "react";

import { useRestoreFocus } from "@/hooks/use-restore-focus";

import { Button } from "./button";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  /** What will happen, and whether it can be undone. */
  description: ReactNode;
  /** Label of the confirming button, e.g. `Delete provider`. */
  action: string;
  onConfirm: () => void;
  busy?: boolean;
  children?: ReactNode;
}

/** Asks for confirmation before a destructive action. */
export function ConfirmDialog({
  open,
  onOpenChange,
  title,
  description,
  action,
  onConfirm,
  busy,
  children,
}: Props) {
  const restoreFocus = useRestoreFocus();
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <AlertDialog.Content
          {...restoreFocus}
          className="fixed top-1/2 left-1/2 z-40 w-[min(28rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 animate-appear rounded-lg border bg-raised p-5 shadow-xl"
        >
          <AlertDialog.Title className="text-base font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-ink-soft">
            {description}
          </AlertDialog.Description>
          {children}
          <div className="mt-5 flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button variant="danger" busy={busy} onClick={onConfirm}>
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
