import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import type { WorkspaceRole } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { ROLES } from "@/lib/roles";

import { RoleSelect } from "./role-select";
import { SecretDialog } from "./secret-dialog";

const FORM_ID = "invite-form";

/** Creates an invitation, then shows its link. */
export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const queryClient = useQueryClient();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<WorkspaceRole>("operator");
  const [link, setLink] = useState<string | null>(null);
  const invite = useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/invitations", { body: { email: email.trim(), role } })),
    onSuccess: async (created) => {
      setLink(location.origin + created.link.path);
      close();
      await queryClient.invalidateQueries({ queryKey: teamKeys.invitations });
    },
  });
  const close = () => {
    invite.reset();
    setEmail("");
    onClose();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  return (
    <>
      <Dialog
        open={open}
        onOpenChange={(next) => !next && close()}
        title="Invite someone"
        description="You get a link to pass on. It works once, for seven days."
        footer={
          <>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" form={FORM_ID} variant="primary" busy={invite.isPending}>
              Create invitation
            </Button>
          </>
        }
      >
        <form id={FORM_ID} onSubmit={submit} className="grid gap-4">
          {invite.isError && <ErrorPanel error={invite.error} />}
          <Field label="E-mail address" required>
            <Input
              type="email"
              required
              autoComplete="off"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          </Field>
          <Field label="Role" hint={ROLES.find(({ value }) => value === role)?.hint}>
            <RoleSelect
              value={role}
              onChange={(event) => setRole(event.target.value as WorkspaceRole)}
            />
          </Field>
        </form>
      </Dialog>
      <SecretDialog
        title="Pass this link on"
        description="Only the person with this e-mail address can use it, once. It is not shown again."
        secret={link}
        onClose={() => setLink(null)}
      />
    </>
  );
}
