import type { QueryClient } from "@tanstack/react-query";

import { session } from "@/lib/api/session";

import type { createAppRouter } from "./router";

/** After signing out, here or in another tab, nothing of what was shown stays in memory or in sight. */
export function leaveOnSignOut(
  router: ReturnType<typeof createAppRouter>,
  queryClient: QueryClient,
): () => void {
  return session.subscribe(() => {
    if (session.state !== "signed-out") return;
    const next = router.latestLocation.href;
    // Drafts are kept by the browser; a question about them must not keep the page open.
    void router
      .navigate({ to: "/sign-in", search: { next }, ignoreBlocker: true })
      .then(() => queryClient.clear());
  });
}
