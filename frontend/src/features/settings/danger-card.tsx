import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { clearPreferences } from "@/lib/preferences";

import { DeleteRuns } from "./delete-runs";
import { SettingRow } from "./setting-row";

/** What cannot be undone. */
export function DangerCard() {
  return (
    <Card title="Danger zone" className="border-err/40">
      <div className="divide-y">
        <DeleteRuns />
        <ClearBrowserData />
      </div>
    </Card>
  );
}

function ClearBrowserData() {
  const [asking, setAsking] = useState(false);
  return (
    <SettingRow
      name="Clear what this browser keeps"
      hint="Unsaved drafts of workflows, the theme, pane sizes and hints. Nothing on the server."
    >
      <Button variant="danger" onClick={() => setAsking(true)}>
        Clear drafts and preferences
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title="Clear drafts and preferences?"
        description="Changes to workflows that were not saved are lost for good. You stay signed in, and nothing on the server changes. The page then loads anew."
        action="Clear"
        onConfirm={clear}
      />
    </SettingRow>
  );
}

function clear(): void {
  clearPreferences();
  // Open pages hold copies of what is gone; they would write it back.
  location.reload();
}
