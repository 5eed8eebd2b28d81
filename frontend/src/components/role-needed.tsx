import { Link } from "@tanstack/react-router";
import { Lock } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { Button } from "@/components/ui/button";
import type { Scope } from "@/lib/api/types";
import { roleFor } from "@/lib/roles";

/** Names the role that is needed for the page. */
export function RoleNeeded({ scope }: { scope: Scope }) {
  return (
    <EmptyState
      icon={Lock}
      title={`You need the role ${roleFor(scope)}`}
      actions={
        <Button asChild variant="primary">
          <Link to="/">Go to dashboard</Link>
        </Button>
      }
    >
      Your role in this workspace does not include this. An owner can change it.
    </EmptyState>
  );
}
