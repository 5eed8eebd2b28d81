import { useMutation } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";
import { session } from "@/lib/api/session";

const FORM_ID = "remove-account-form";

/** Removes the own account for good, after the password. */
export function RemoveAccountDialog({ onClose }: { onClose: () => void }) {
  const [password, setPassword] = useState("");
  const remove = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/me/removal", { body: { password } });
    },
    gcTime: 0,
    onSuccess: () => session.forget(),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    remove.mutate();
  };
  return (
    <Dialog
      open
      onOpenChange={(next) => !next && onClose()}
      title="Remove your account?"
      description="You are signed out everywhere, and your API keys and links stop working. This cannot be undone. Your runs and workflows stay, under a pseudonym."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={FORM_ID} variant="danger" busy={remove.isPending}>
            Remove for good
          </Button>
        </>
      }
    >
      <form id={FORM_ID} onSubmit={submit} className="grid gap-4">
        {remove.isError && <ErrorPanel error={remove.error} />}
        <Field label="Password" required>
          <Input
            type="password"
            required
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
      </form>
    </Dialog>
  );
}
