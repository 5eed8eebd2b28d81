import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { session } from "@/lib/api/session";

import { ApiKeyForm } from "./api-key-form";

const stay = () => undefined;

/** Over the page when the server does not take the key any more; what was begun goes on afterwards. */
export function SessionExpiredDialog() {
  return (
    <Dialog
      open
      closable={false}
      onOpenChange={stay}
      title="Sign in again"
      description="The server does not take your key any more. Your work on this page is kept, and goes on when you are signed in."
      className="w-[min(26rem,calc(100vw-1.5rem))]"
      footer={
        <Button variant="ghost" onClick={() => session.signOut()}>
          Sign out
        </Button>
      }
    >
      <ApiKeyForm action="Sign in" />
    </Dialog>
  );
}
