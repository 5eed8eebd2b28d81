import type { ErrorComponentProps } from "@tanstack/react-router";
import { useEffect } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { ServerUnreachable } from "@/lib/api/problem";
import { connection } from "@/lib/connection";

/** A page that could not be drawn; the shell around it stays. */
export function PageError({ error, reset }: ErrorComponentProps) {
  useEffect(() => {
    if (!(error instanceof ServerUnreachable)) return;
    return connection.subscribe(() => connection.state === "online" && reset());
  }, [error, reset]);
  return (
    <Page title="This page has a problem">
      <ErrorPanel error={error} onRetry={reset} />
    </Page>
  );
}
