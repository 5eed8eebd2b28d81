import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { NewPasswordField } from "@/components/new-password-field";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";
import { newPasswordRules } from "@/lib/new-password";
import { toast } from "@/lib/toast";

interface Values {
  currentPassword: string;
  password: string;
}

/** Changes the password. */
export function PasswordCard() {
  const { register, handleSubmit, formState, reset } = useForm<Values>();
  const change = useMutation({
    mutationFn: async (body: Values) => {
      await api.PUT("/api/v1/me/password", { body });
    },
    gcTime: 0,
    onSuccess: () => {
      reset();
      toast.success("Password changed. Your other browsers are signed out.");
    },
  });
  const { errors } = formState;
  return (
    <Card title="Password">
      <form
        className="grid gap-4 p-4"
        noValidate
        onSubmit={handleSubmit((values) => change.mutateAsync(values).catch(() => undefined))}
      >
        {change.isError && <ErrorPanel error={change.error} />}
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Current password" error={errors.currentPassword?.message}>
            <Input
              type="password"
              autoComplete="current-password"
              {...register("currentPassword", { required: "Enter your current password." })}
            />
          </Field>
          <NewPasswordField
            label="New password"
            error={errors.password?.message}
            registration={register("password", newPasswordRules)}
          />
        </div>
        <div className="flex justify-end">
          <Button type="submit" busy={formState.isSubmitting}>
            Change password
          </Button>
        </div>
      </form>
    </Card>
  );
}
