import type { QueryClient } from "@tanstack/react-query";

import { session } from "@/lib/api/session";

import type { createAppRouter } from "./router";

/** Opens the sign-in page and clears the query cache after signing out, here or in another tab. */
export function redirectOnSignOut(
  router: ReturnType<typeof createAppRouter>,
  queryClient: QueryClient,
): () => void {
  return session.subscribe(() => {
    if (session.state !== "signed-out") return;
    const next = router.latestLocation.href;
    // Drafts are stored in the browser, so unsaved changes need not block the navigation.
    void router
      .navigate({ to: "/sign-in", search: { next }, ignoreBlocker: true })
      .then(() => queryClient.clear());
  });
}
