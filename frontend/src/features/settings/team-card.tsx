import { Link } from "@tanstack/react-router";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useCan } from "@/lib/rights";

import { PublicLinksSetting } from "./public-links-setting";
import { SettingRow } from "./setting-row";

/** Leads to people, API keys and the audit log of the workspace, for those who may see them. */
export function TeamCard() {
  const canSeePeople = useCan("people:read");
  if (!canSeePeople) return null;
  return (
    <Card title="Team">
      <div className="divide-y">
        <SettingRow
          name="People"
          hint="Invite people, each with an account and a role of their own."
        >
          <Button asChild>
            <Link to="/settings/people">Manage people</Link>
          </Button>
        </SettingRow>
        <SettingRow name="API keys" hint="Keys for programs, with no more rights than they need.">
          <Button asChild>
            <Link to="/settings/api-keys">Manage keys</Link>
          </Button>
        </SettingRow>
        <Allowed scope="audit:read">
          <SettingRow name="Audit log" hint="Who changed what, and what was refused.">
            <Button asChild>
              <Link to="/settings/audit">Open audit log</Link>
            </Button>
          </SettingRow>
        </Allowed>
        <Allowed scope="instance:admin">
          <SettingRow
            name="Workspaces"
            hint="All workspaces of this server, with their limits and what they use."
          >
            <Button asChild>
              <Link to="/settings/workspaces">Show workspaces</Link>
            </Button>
          </SettingRow>
        </Allowed>
        <Allowed scope="settings:write">
          <PublicLinksSetting />
        </Allowed>
      </div>
    </Card>
  );
}
