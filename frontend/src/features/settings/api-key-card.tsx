import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { session, useIsRemembered } from "@/lib/api/session";
import { toast } from "@/lib/toast";

import { SettingRow } from "./setting-row";

/** How one is signed in, and the ways out. */
export function ApiKeyCard() {
  const remembered = useIsRemembered();
  return (
    <Card title="API key">
      <div className="divide-y">
        <SettingRow
          name={remembered ? "Remembered on this device" : "Kept in this tab only"}
          hint={
            remembered
              ? "Whoever opens this browser is signed in. On a shared device, forget the key."
              : "The key is forgotten when this tab is closed; other tabs ask for it."
          }
        >
          {remembered && <Button onClick={forget}>Forget on this device</Button>}
        </SettingRow>
        <SettingRow name="Sign out" hint="Removes the key from this browser; drafts stay.">
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
