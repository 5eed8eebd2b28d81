import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { session, useIsRemembered } from "@/lib/api/session";
import { toast } from "@/lib/toast";

import { SettingRow } from "./setting-row";

/** Shows where the API key is kept; forgets it or signs out. */
export function ApiKeyCard() {
  const isRemembered = useIsRemembered();
  return (
    <Card title="API key">
      <div className="divide-y">
        <SettingRow
          name={isRemembered ? "Remembered on this device" : "Kept in this tab only"}
          hint={
            isRemembered
              ? "Anyone who uses this browser is signed in. Forget the key on shared devices."
              : "The key is forgotten when this tab is closed. Other tabs ask for it."
          }
        >
          {isRemembered && <Button onClick={forget}>Forget on this device</Button>}
        </SettingRow>
        <SettingRow name="Sign out" hint="Removes the key from this browser. Drafts are kept.">
          <Button onClick={() => session.signOut()}>Sign out</Button>
        </SettingRow>
      </div>
    </Card>
  );
}

function forget(): void {
  session.forgetOnThisDevice();
  toast.success("The key is forgotten when this tab is closed.");
}
