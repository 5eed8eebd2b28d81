import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import type { WorkspaceRole } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { ROLES } from "@/lib/roles";

import { RoleSelect } from "./role-select";
import { SecretDialog } from "./secret-dialog";

const FORM_ID = "new-api-key-form";
const DAY_MS = 86_400_000;
const LIFETIMES: [string, number | null][] = [
  ["30 days", 30],
  ["90 days", 90],
  ["One year", 365],
  ["Until it is revoked", null],
];

interface Props {
  own: boolean;
  open: boolean;
  onClose: () => void;
}

/** Creates an API key, then shows it once. */
export function NewApiKeyDialog({ own, open, onClose }: Props) {
  const queryClient = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<WorkspaceRole>(own ? "viewer" : "operator");
  const [days, setDays] = useState<number | null>(90);
  const [token, setToken] = useState<string | null>(null);
  const create = useMutation({
    mutationFn: async () => {
      const expiresAt = days === null ? null : new Date(Date.now() + days * DAY_MS).toISOString();
      const options = { body: { name: name.trim(), role, expiresAt } };
      return own
        ? body(await api.POST("/api/v1/me/api-keys", options))
        : body(await api.POST("/api/v1/api-keys", options));
    },
    // The key is not kept with the result.
    gcTime: 0,
    onSuccess: async (created) => {
      setToken(created.token);
      close();
      await queryClient.invalidateQueries({ queryKey: teamKeys.apiKeys(own) });
    },
  });
  const close = () => {
    create.reset();
    setName("");
    onClose();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <>
      <Dialog
        open={open}
        onOpenChange={(next) => !next && close()}
        title="New API key"
        footer={
          <>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" form={FORM_ID} variant="primary" busy={create.isPending}>
              Create key
            </Button>
          </>
        }
      >
        <form id={FORM_ID} onSubmit={submit} className="grid gap-4">
          {create.isError && <ErrorPanel error={create.error} />}
          <Field label="Name" hint="What uses the key, such as “nightly build”." required>
            <Input
              required
              maxLength={200}
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
          <Field label="Rights of the role" hint={ROLES.find(({ value }) => value === role)?.hint}>
            <RoleSelect
              value={role}
              onChange={(event) => setRole(event.target.value as WorkspaceRole)}
            />
          </Field>
          <Field label="Valid for">
            <Select
              value={days ?? ""}
              onChange={(event) => setDays(event.target.value ? Number(event.target.value) : null)}
            >
              {LIFETIMES.map(([label, value]) => (
                <option key={label} value={value ?? ""}>
                  {label}
                </option>
              ))}
            </Select>
          </Field>
        </form>
      </Dialog>
      <SecretDialog
        title="Copy the key now"
        description="It is shown this once and cannot be read again."
        secret={token}
        onClose={() => setToken(null)}
      />
    </>
  );
}
