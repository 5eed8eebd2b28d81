import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api, body } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { Identity } from "@/lib/api/types";
import { identitiesQuery, signInOptionsQuery, teamKeys } from "@/lib/queries/team";
import { toast } from "@/lib/toast";

/** The accounts at issuers that sign in to this one; connects others. Nothing if the server has no issuers. */
export function IdentitiesCard() {
  const identities = useQuery(identitiesQuery());
  const issuers = useQuery(signInOptionsQuery()).data?.issuers ?? [];
  const known = identities.data ?? [];
  const others = issuers.filter(({ id }) => known.every(({ issuerId }) => issuerId !== id));
  if (identities.isError) {
    return <ErrorPanel error={identities.error} onRetry={() => identities.refetch()} />;
  }
  if (!identities.isSuccess || (known.length === 0 && issuers.length === 0)) return null;
  return (
    <Card title="Single sign-on">
      <ul aria-label="Connected accounts" className="divide-y divide-line">
        {known.map((identity) => (
          <IdentityRow key={identity.id} identity={identity} />
        ))}
        {others.map(({ id, name }) => (
          <ConnectRow key={id} issuer={id} name={name} />
        ))}
      </ul>
    </Card>
  );
}

function IdentityRow({ identity }: { identity: Identity }) {
  const queryClient = useQueryClient();
  const [isConfirming, setIsConfirming] = useState(false);
  const remove = useMutation({
    mutationFn: async () => {
      const params = { path: { identity_id: identity.id } };
      await api.DELETE("/api/v1/me/identities/{identity_id}", { params });
    },
    onSuccess: async () => {
      setIsConfirming(false);
      toast.success(`${identity.issuerName} is disconnected`);
      await queryClient.invalidateQueries({ queryKey: teamKeys.me });
    },
  });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-48">
        <p className="font-medium break-words">{identity.issuerName}</p>
        <p className="break-words text-ink-faint">
          {identity.label} · connected <TimeAgo at={identity.createdAt} />
        </p>
      </div>
      <Button size="sm" onClick={() => setIsConfirming(true)}>
        Disconnect<span className="sr-only"> {identity.issuerName}</span>
      </Button>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setIsConfirming}
        title={`Disconnect ${identity.issuerName}?`}
        description="Browsers that signed in there are signed out, this one too if it did. Roles that come from your groups there end."
        action="Disconnect"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
      </ConfirmDialog>
    </li>
  );
}

function ConnectRow({ issuer, name }: { issuer: string; name: string }) {
  const connect = useMutation({
    mutationFn: async () => {
      const { url } = body(await api.POST("/api/v1/me/identities", { body: { issuer } }));
      location.assign(url);
    },
    onError: (error) => toast.error(describeError(error).detail),
  });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-48">
        <p className="font-medium break-words">{name}</p>
        <p className="text-ink-faint">Not connected</p>
      </div>
      <Button size="sm" busy={connect.isPending} onClick={() => connect.mutate()}>
        Connect<span className="sr-only"> {name}</span>
      </Button>
    </li>
  );
}
