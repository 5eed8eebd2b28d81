import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { meQuery, quotasQuery, teamKeys } from "@/lib/queries/team";
import { useCan } from "@/lib/rights";

import { listQuotas } from "./quota-list";
import { QuotaRow } from "./quota-row";

const QuotasDialog = lazy(async () => ({
  default: (await import("./quotas-dialog")).QuotasDialog,
}));

/** What the workspace may use and what it uses, with the dialogs that change its limits. */
export function QuotasCard() {
  const { data: me } = useQuery(meQuery());
  const mayLimitAll = useCan("instance:admin");
  const mayLimit = useCan("settings:write");
  const queryClient = useQueryClient();
  const quotas = useQuery(quotasQuery());
  const [setBy, setSetBy] = useState<"owner" | "administrator" | null>(null);
  const actions = (
    <div className="flex flex-wrap gap-2">
      {mayLimitAll && (
        <Button size="sm" onClick={() => setSetBy("administrator")}>
          Set upper limits
        </Button>
      )}
      {mayLimit && (
        <Button size="sm" onClick={() => setSetBy("owner")}>
          Change limits
        </Button>
      )}
    </div>
  );
  return (
    <Card title="Limits of this workspace" actions={quotas.data && actions}>
      {quotas.isError && !quotas.data ? (
        <ErrorPanel error={quotas.error} onRetry={() => quotas.refetch()} className="m-4" />
      ) : quotas.data ? (
        <ul className="grid gap-4 p-4">
          {listQuotas(quotas.data).map((item) => (
            <QuotaRow key={item.name} item={item} />
          ))}
        </ul>
      ) : (
        <SkeletonRows />
      )}
      {me && quotas.data && setBy && (
        <Suspense>
          <QuotasDialog
            quotas={quotas.data}
            setBy={setBy}
            workspaceId={me.workspace.id}
            onSaved={(saved) => queryClient.setQueryData(teamKeys.quotas, saved)}
            onClose={() => setSetBy(null)}
          />
        </Suspense>
      )}
    </Card>
  );
}
