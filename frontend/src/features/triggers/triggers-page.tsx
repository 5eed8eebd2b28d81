import { useQuery } from "@tanstack/react-query";
import { Plus, Webhook } from "lucide-react";
import { useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { TriggerSecret } from "@/lib/api/types";

import { TriggerDialog } from "./trigger-dialog";
import { triggersQuery } from "./trigger-requests";
import { TriggerRow } from "./trigger-row";
import { TriggerSecretDialog } from "./trigger-secret-dialog";

/** The addresses at which outside services start runs. */
export function TriggersPage() {
  const list = useQuery(triggersQuery());
  const [isAdding, setIsAdding] = useState(false);
  const [created, setCreated] = useState<TriggerSecret | null>(null);
  return (
    <Page
      title="Triggers"
      description="Addresses at which outside services start runs."
      actions={
        <Button variant="primary" onClick={() => setIsAdding(true)}>
          <Plus aria-hidden />
          Add a trigger
        </Button>
      }
    >
      {list.isPending ? (
        <SkeletonRows rows={3} className="rounded-lg border bg-surface" />
      ) : list.isError ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : list.data.length === 0 ? (
        <div className="rounded-lg border bg-surface">
          <EmptyState icon={Webhook} title="No triggers yet">
            Add one, and let GitHub, Stripe, Slack or your own service start runs.
          </EmptyState>
        </div>
      ) : (
        <Card>
          <ul aria-label="Triggers" className="divide-y divide-line">
            {list.data.map((trigger) => (
              <TriggerRow key={trigger.id} trigger={trigger} onSecret={setCreated} />
            ))}
          </ul>
        </Card>
      )}
      {isAdding && (
        <TriggerDialog
          onClose={() => setIsAdding(false)}
          onCreated={(added) => {
            setIsAdding(false);
            setCreated(added);
          }}
        />
      )}
      {created && <TriggerSecretDialog created={created} onClose={() => setCreated(null)} />}
    </Page>
  );
}
