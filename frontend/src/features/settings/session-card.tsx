import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { signOut } from "@/lib/api/client";
import { useIsRemembered } from "@/lib/api/session";

import { SettingRow } from "./setting-row";

/** Shows how long this browser stays signed in; signs out. */
export function SessionCard() {
  const isRemembered = useIsRemembered();
  return (
    <Card title="Session">
      <SettingRow
        name={isRemembered ? "Remembered on this device" : "Signed in until the browser is closed"}
        hint={
          isRemembered
            ? "For 30 days, anyone who uses this browser is signed in. Sign out on shared devices."
            : "Signing out signs out every tab of this browser. Drafts are kept."
        }
      >
        <Button onClick={signOut}>Sign out</Button>
      </SettingRow>
    </Card>
  );
}
