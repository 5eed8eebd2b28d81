import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";

import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <EmptyState
        icon={Compass}
        title="There is no page at this address"
        actions={
          <Button asChild variant="primary">
            <Link to="/">To the dashboard</Link>
          </Button>
        }
      >
        The link may be old, or a letter may be missing.
      </EmptyState>
    </Page>
  );
}
