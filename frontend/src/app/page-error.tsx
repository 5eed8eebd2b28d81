import type { ErrorComponentProps } from "@tanstack/react-router";
import { useEffect } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { ServerUnreachable } from "@/lib/api/problem";
import { connection } from "@/lib/connection";

/** Error page inside the app shell; recovers when the server is reachable again. */
export function PageError({ error, reset }: ErrorComponentProps) {
  useEffect(() => {
    if (!(error instanceof ServerUnreachable)) return;
    return connection.subscribe(() => connection.state === "online" && reset());
  }, [error, reset]);
  return (
    <Page title="This page could not be loaded">
      <ErrorPanel error={error} onRetry={reset} />
    </Page>
  );
}
