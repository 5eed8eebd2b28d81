import { useBlocker } from "@tanstack/react-router";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

interface Props {
  changed: boolean;
  onDiscard: () => void;
}

/** Asks before a page with unsaved changes is left; moving about inside the page is no leaving. */
export function LeaveGuard({ changed, onDiscard }: Props) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => changed && current.pathname !== next.pathname,
    enableBeforeUnload: changed,
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && blocker.reset()}
      title="Leave without saving?"
      description="Your changes are kept in this browser as a draft, and are here when you come back."
      footer={
        <>
          <Button
            variant="danger"
            onClick={() => {
              onDiscard();
              blocker.proceed();
            }}
          >
            Discard changes
          </Button>
          <Button onClick={blocker.proceed}>Leave, keep the draft</Button>
          <Button variant="primary" onClick={blocker.reset}>
            Stay
          </Button>
        </>
      }
    />
  );
}
