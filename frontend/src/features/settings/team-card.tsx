import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { meQuery } from "@/lib/queries/team";

import { SettingRow } from "./setting-row";

/** Leads to the people and the API keys of the workspace, for those who may see them. */
export function TeamCard() {
  const { data: me } = useQuery(meQuery());
  if (!me?.scopes.includes("people:read")) return null;
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
      </div>
    </Card>
  );
}
