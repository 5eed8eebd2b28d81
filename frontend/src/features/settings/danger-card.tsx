import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { clearPreferences } from "@/lib/preferences";

import { DeleteRuns } from "./delete-runs";
import { SettingRow } from "./setting-row";

/** Actions that cannot be undone. */
export function DangerCard() {
  return (
    <Card title="Danger zone" className="border-err/40">
      <div className="divide-y">
        <Allowed scope="runs:write">
          <DeleteRuns />
        </Allowed>
        <ClearBrowserData />
      </div>
    </Card>
  );
}

function ClearBrowserData() {
  const [isConfirming, setIsConfirming] = useState(false);
  return (
    <SettingRow
      name="Clear browser data"
      hint="Unsaved workflow drafts, unsent messages, the theme, pane sizes and hints. Nothing is deleted on the server."
    >
      <Button variant="danger" onClick={() => setIsConfirming(true)}>
        Clear drafts and preferences
      </Button>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setIsConfirming}
        title="Clear drafts and preferences?"
        description="Unsaved changes to workflows and unsent messages are lost. You stay signed in, and nothing changes on the server. The page reloads afterwards."
        action="Clear"
        onConfirm={clear}
      />
    </SettingRow>
  );
}

function clear(): void {
  clearPreferences();
  // Open pages hold copies of the drafts and would write them back.
  location.reload();
}
