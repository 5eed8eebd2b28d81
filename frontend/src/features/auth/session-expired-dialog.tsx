import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { session } from "@/lib/api/session";

import { ApiKeyForm } from "./api-key-form";

const ignoreClose = () => undefined;

/** Asks for a new key when the server rejects the current one; pending requests resume afterwards. */
export function SessionExpiredDialog() {
  return (
    <Dialog
      open
      closable={false}
      onOpenChange={ignoreClose}
      title="Sign in again"
      description="The server no longer accepts your API key. Your work on this page is kept and continues after you sign in."
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
