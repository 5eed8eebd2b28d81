import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { meQuery } from "@/lib/queries/team";
import { roleLabel } from "@/lib/roles";

import { ApiKeysCard } from "./api-keys-card";
import { IdentitiesCard } from "./identities-card";
import { PasswordCard } from "./password-card";
import { PrivacyCard } from "./privacy-card";
import { SecondFactorCard } from "./second-factor-card";
import { SessionsCard } from "./sessions-card";

/** The account of whoever is signed in. */
export function AccountPage() {
  const me = useQuery(meQuery());
  return (
    <Page title="Your account" className="max-w-4xl">
      {me.isPending ? (
        <SkeletonRows className="rounded-lg border bg-surface" />
      ) : me.isError ? (
        <ErrorPanel error={me.error} onRetry={() => me.refetch()} />
      ) : (
        <>
          <Card title={me.data.personId ? me.data.name : "API key of the server"}>
            <div className="px-4 py-3">
              {me.data.email && <p>{me.data.email}</p>}
              {!me.data.personId && <p>You are signed in with a key, not as a person.</p>}
              <p className="text-ink-faint">
                {roleLabel(me.data.workspace.role)} in {me.data.workspace.name}
              </p>
            </div>
          </Card>
          <SessionsCard />
          {me.data.personId && (
            <>
              <IdentitiesCard />
              {me.data.hasPassword && (
                <>
                  <PasswordCard />
                  <SecondFactorCard isActive={me.data.hasSecondFactor} />
                </>
              )}
              <ApiKeysCard own />
              <PrivacyCard />
            </>
          )}
        </>
      )}
    </Page>
  );
}
