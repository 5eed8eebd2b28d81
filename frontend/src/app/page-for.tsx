import { lazy, Suspense, type ComponentType } from "react";

import { Page } from "@/components/page";
import type { Scope } from "@/lib/api/types";
import { useCan, useKnowsRights } from "@/lib/rights";

import { lazyPage } from "./lazy-page";
import { PagePending } from "./page-pending";

// Loaded separately: most people never see it.
const RoleNeeded = lazy(async () => ({
  default: (await import("@/components/role-needed")).RoleNeeded,
}));

/** A page for those who have the scope; others learn which role they need. */
export function pageFor(scope: Scope, load: () => Promise<ComponentType>) {
  const Content = lazyPage(load);
  function GuardedPage() {
    const can = useCan(scope);
    const isKnown = useKnowsRights();
    if (can) return <Content />;
    if (!isKnown) return <PagePending />;
    return (
      <Page title="Not allowed">
        <Suspense>
          <RoleNeeded scope={scope} />
        </Suspense>
      </Page>
    );
  }
  GuardedPage.preload = Content.preload;
  return GuardedPage;
}
