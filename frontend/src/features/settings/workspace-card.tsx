import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { describeError } from "@/lib/api/problem";
import type { WorkspaceOverview } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { quotasOfWorkspaceQuery, teamKeys } from "@/lib/queries/team";

import { listQuotas } from "./quota-list";
import { QuotaRow } from "./quota-row";

const QuotasDialog = lazy(async () => ({
  default: (await import("./quotas-dialog")).QuotasDialog,
}));

/** A workspace with its people, and what it uses of its limits. */
export function WorkspaceCard({ workspace }: { workspace: WorkspaceOverview }) {
  const [isLimiting, setIsLimiting] = useState(false);
  return (
    <Card
      title={workspace.name}
      actions={
        <>
          <span className="ml-auto text-ink-faint">
            {pluralize(workspace.people, "person", "people")}
          </span>
          <Button
            size="sm"
            aria-label={`Set upper limits of ${workspace.name}`}
            onClick={() => setIsLimiting(true)}
          >
            Set upper limits
          </Button>
        </>
      }
    >
      <ul className="grid gap-x-8 gap-y-4 p-4 sm:grid-cols-2">
        {listQuotas(workspace).map((item) => (
          <QuotaRow key={item.name} item={item} />
        ))}
      </ul>
      {isLimiting && <LimitDialog workspace={workspace} onClose={() => setIsLimiting(false)} />}
    </Card>
  );
}

function LimitDialog({
  workspace,
  onClose,
}: {
  workspace: WorkspaceOverview;
  onClose: () => void;
}) {
  const queryClient = useQueryClient();
  const quotas = useQuery(quotasOfWorkspaceQuery(workspace.id));
  if (quotas.isError) {
    return (
      <p role="alert" className="px-4 pb-4 text-err">
        {describeError(quotas.error).title}
      </p>
    );
  }
  if (!quotas.data) return null;
  return (
    <Suspense>
      <QuotasDialog
        quotas={quotas.data}
        setBy="administrator"
        workspaceId={workspace.id}
        onSaved={() => {
          void queryClient.invalidateQueries({ queryKey: teamKeys.workspaces });
          void queryClient.invalidateQueries({ queryKey: teamKeys.quotas });
        }}
        onClose={onClose}
      />
    </Suspense>
  );
}
