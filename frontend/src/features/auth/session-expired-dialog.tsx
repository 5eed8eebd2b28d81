import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { signOut } from "@/lib/api/client";

import { ApiKeyForm } from "./api-key-form";

const ignoreClose = () => undefined;

/** Asks for the API key when the session has ended; pending requests resume afterwards. */
export function SessionExpiredDialog() {
  return (
    <Dialog
      open
      closable={false}
      onOpenChange={ignoreClose}
      title="Sign in again"
      description="Your session has ended. Your work on this page is kept and continues after you sign in."
      className="w-[min(26rem,calc(100vw-1.5rem))]"
      footer={
        <Button variant="ghost" onClick={signOut}>
          Sign out
        </Button>
      }
    >
      <ApiKeyForm action="Sign in" />
    </Dialog>
  );
}
