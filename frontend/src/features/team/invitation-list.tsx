import { useMutation, useQueryClient } from "@tanstack/react-query";

import { Allowed } from "@/components/allowed";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { api } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { Invitation } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { roleLabel } from "@/lib/roles";
import { toast } from "@/lib/toast";

export function InvitationList({ invitations }: { invitations: Invitation[] }) {
  return (
    <ul aria-label="Open invitations" className="divide-y divide-line">
      {invitations.map((invitation) => (
        <InvitationRow key={invitation.id} invitation={invitation} />
      ))}
    </ul>
  );
}

function InvitationRow({ invitation: { id, email, role, createdAt } }: { invitation: Invitation }) {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: async () => {
      const params = { path: { invitation_id: id } };
      await api.DELETE("/api/v1/invitations/{invitation_id}", { params });
    },
    onSuccess: () => toast.success(`Invitation of ${email} revoked`),
    onError: (error) => toast.error(describeError(error).title),
    onSettled: () => queryClient.invalidateQueries({ queryKey: teamKeys.invitations }),
  });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <span className="min-w-0 flex-1 basis-48 break-words">{email}</span>
      <Badge>{roleLabel(role)}</Badge>
      <span className="text-ink-faint">
        invited <TimeAgo at={createdAt} />
      </span>
      <Allowed scope="people:write">
        <Button size="sm" busy={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke<span className="sr-only"> the invitation of {email}</span>
        </Button>
      </Allowed>
    </li>
  );
}
