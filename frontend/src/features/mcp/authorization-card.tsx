import { KeyRound } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { McpServer } from "@/lib/api/types";

import { useAuthorize } from "./server-requests";

/** Whether the workspace may use the server, with OAuth. */
export function AuthorizationCard({ server }: { server: McpServer }) {
  const authorize = useAuthorize(server.id);
  return (
    <Card
      title="Authorization"
      actions={
        <Allowed scope="connections:write">
          <Button size="sm" busy={authorize.isPending} onClick={() => authorize.mutate()}>
            {!authorize.isPending && <KeyRound aria-hidden />}
            {server.isAuthorized ? "Authorize again" : "Authorize"}
          </Button>
        </Allowed>
      }
    >
      <div className="grid gap-2 p-4">
        <p className="flex flex-wrap items-center gap-2">
          <Badge tone={server.isAuthorized ? "ok" : "warn"}>
            {server.isAuthorized ? "Authorized" : "Not authorized"}
          </Badge>
          <span className="text-ink-soft">
            {server.isAuthorized
              ? "Everyone in the workspace uses the server with this authorization."
              : "Sign in at the service, and agree that your workspace uses the server."}
          </span>
        </p>
        {server.tokenExpiresAt && (
          <p className="text-xs text-ink-faint">
            The token expires <TimeAgo at={server.tokenExpiresAt} />.
          </p>
        )}
        {authorize.isError && <ErrorPanel error={authorize.error} />}
      </div>
    </Card>
  );
}
