import { X } from "lucide-react";
import { Dialog } from "radix-ui";

import { useRestoreFocus } from "@/hooks/use-restore-focus";
import { Button } from "@/components/ui/button";

import { Brand } from "./brand";
import { Navigation } from "./navigation";

/** Navigation drawer for screens too narrow for the sidebar. */
export function Drawer({ onClose }: { onClose: () => void }) {
  const restoreFocus = useRestoreFocus();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Dialog.Content
          {...restoreFocus}
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-40 flex w-72 max-w-[85vw] animate-appear flex-col border-r bg-raised shadow-xl"
        >
          <Dialog.Title className="sr-only">Pages</Dialog.Title>
          <div className="flex h-14 shrink-0 items-center justify-between px-2.5">
            <Brand onFollow={onClose} />
            <Dialog.Close asChild>
              <Button variant="ghost" size="icon">
                <X aria-hidden />
                <span className="sr-only">Close menu</span>
              </Button>
            </Dialog.Close>
          </div>
          <nav aria-label="Main" className="flex min-h-0 flex-1 flex-col">
            <Navigation onFollow={onClose} />
          </nav>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
