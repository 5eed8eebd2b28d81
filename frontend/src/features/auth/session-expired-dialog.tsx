import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { signOut } from "@/lib/api/client";

import { SignInForms, useSignInMethod } from "./sign-in-forms";

const ignore = () => undefined;

/** Asks to sign in again when the session has ended; pending requests resume afterwards. */
export function SessionExpiredDialog() {
  const choice = useSignInMethod();
  return (
    <Dialog
      open
      closable={false}
      onOpenChange={ignore}
      title="Sign in again"
      description="Your session has ended. Your work on this page is kept and continues after you sign in."
      className="w-[min(26rem,calc(100vw-1.5rem))]"
      footer={
        <Button variant="ghost" onClick={signOut}>
          Sign out
        </Button>
      }
    >
      <div className="grid gap-5">
        <SignInForms {...choice} next={null} onSignedIn={ignore} />
      </div>
    </Dialog>
  );
}
