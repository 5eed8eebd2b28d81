import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { ApiKey } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { useCan } from "@/lib/rights";
import { toast } from "@/lib/toast";

/** A key with its state; revokes it. */
export function ApiKeyRow({ apiKey, own }: { apiKey: ApiKey; own: boolean }) {
  const queryClient = useQueryClient();
  const [isConfirming, setIsConfirming] = useState(false);
  const revoke = useMutation({
    mutationFn: async () => {
      const params = { path: { api_key_id: apiKey.id } };
      if (own) await api.DELETE("/api/v1/me/api-keys/{api_key_id}", { params });
      else await api.DELETE("/api/v1/api-keys/{api_key_id}", { params });
    },
    onSuccess: async () => {
      toast.success(`API key ${apiKey.name} revoked`);
      setIsConfirming(false);
      await queryClient.invalidateQueries({ queryKey: teamKeys.apiKeys(own) });
    },
  });
  const canRevoke = useCan("keys:write") || own;
  const state = keyState(apiKey);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-48">
        <p className="font-medium break-words">{apiKey.name}</p>
        <p className="text-ink-faint">
          <code className="font-mono text-xs">{apiKey.hint}…</code> · {describeScopes(apiKey)}
        </p>
      </div>
      <span className="text-ink-faint max-sm:basis-full">
        {apiKey.lastUsedAt ? (
          <>
            used <TimeAgo at={apiKey.lastUsedAt} />
          </>
        ) : (
          "never used"
        )}
      </span>
      <Badge tone={state === "Valid" ? "ok" : "idle"}>{state}</Badge>
      {state === "Valid" && canRevoke && (
        <Button size="sm" variant="danger" onClick={() => setIsConfirming(true)}>
          Revoke<span className="sr-only"> {apiKey.name}</span>
        </Button>
      )}
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setIsConfirming}
        title={`Revoke ${apiKey.name}?`}
        description="Requests with this key fail from now on. It cannot be made valid again."
        action="Revoke key"
        busy={revoke.isPending}
        onConfirm={() => revoke.mutate()}
      >
        {revoke.isError && <ErrorPanel error={revoke.error} className="mt-3" />}
      </ConfirmDialog>
    </li>
  );
}

function keyState({ revokedAt, expiresAt }: ApiKey): "Valid" | "Revoked" | "Expired" {
  if (revokedAt) return "Revoked";
  return expiresAt && Date.parse(expiresAt) <= Date.now() ? "Expired" : "Valid";
}

function describeScopes({ scopes, personId }: ApiKey): string {
  const count = `${scopes.length} ${scopes.length === 1 ? "scope" : "scopes"}`;
  return personId ? `${count}, as a person` : count;
}
