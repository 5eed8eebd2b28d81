import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import { teamKeys } from "@/lib/queries/team";
import { toast } from "@/lib/toast";

import { RecoveryCodesDialog } from "./recovery-codes-dialog";
import { SecondFactorSetup } from "./second-factor-setup";

/** Sets up or removes an authenticator app; both need the password. */
export function SecondFactorCard({ isActive }: { isActive: boolean }) {
  const queryClient = useQueryClient();
  const [password, setPassword] = useState("");
  const [codes, setCodes] = useState<string[] | null>(null);
  const start = useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/me/second-factor", { body: { password } })),
    gcTime: 0,
    onSuccess: () => setPassword(""),
  });
  const remove = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/me/second-factor/remove", { body: { password } });
    },
    onSuccess: async () => {
      setPassword("");
      toast.success("Second factor removed");
      await queryClient.invalidateQueries({ queryKey: teamKeys.me });
    },
  });
  const action = isActive ? remove : start;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    action.mutate();
  };
  return (
    <Card
      title="Second factor"
      actions={<Badge tone={isActive ? "ok" : "idle"}>{isActive ? "Active" : "Off"}</Badge>}
    >
      {start.data && !isActive ? (
        <SecondFactorSetup
          started={start.data}
          onConfirmed={async (recoveryCodes) => {
            setCodes(recoveryCodes);
            start.reset();
            await queryClient.invalidateQueries({ queryKey: teamKeys.me });
          }}
        />
      ) : (
        <form className="grid gap-4 p-4" onSubmit={submit}>
          <p className="text-ink-soft">
            {isActive
              ? "Signing in needs a code from your authenticator app."
              : "Signing in then also needs a code from an authenticator app on your phone."}
          </p>
          {action.isError && <ErrorPanel error={action.error} />}
          <Field label="Your password" className="max-w-80">
            <Input
              type="password"
              required
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
          <div>
            <Button type="submit" variant={isActive ? "danger" : "outline"} busy={action.isPending}>
              {isActive ? "Remove the second factor" : "Set up"}
            </Button>
          </div>
        </form>
      )}
      <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />
    </Card>
  );
}
