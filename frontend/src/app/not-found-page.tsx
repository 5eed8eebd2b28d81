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
        title="This page does not exist"
        actions={
          <Button asChild variant="primary">
            <Link to="/">Go to dashboard</Link>
          </Button>
        }
      >
        The link may be outdated or mistyped.
      </EmptyState>
    </Page>
  );
}
