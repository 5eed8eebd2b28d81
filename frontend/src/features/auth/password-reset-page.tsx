import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { NewPasswordField } from "@/components/new-password-field";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { newPasswordRules } from "@/lib/new-password";

import { AuthPage } from "./auth-page";
import { readLinkToken } from "./link-token";
import { sendWithoutSession } from "./send-without-session";

interface Values {
  password: string;
}

/** Sets a new password with the token of a link. */
export function PasswordResetPage() {
  const [token] = useState(readLinkToken);
  const { register, handleSubmit, formState } = useForm<Values>();
  const reset = useMutation({
    mutationFn: async ({ password }: Values) => {
      await sendWithoutSession("POST", "/api/v1/sign-in/password-reset", { token, password });
    },
  });
  return (
    <AuthPage
      title="New password"
      heading="Choose a new password"
      description="You are signed out everywhere else afterwards"
    >
      {reset.isSuccess ? (
        <Alert
          title="Your password is changed"
          actions={
            <Button asChild variant="primary">
              <Link to="/sign-in">Sign in</Link>
            </Button>
          }
        />
      ) : (
        <form
          className="grid gap-4"
          noValidate
          onSubmit={handleSubmit((values) => reset.mutateAsync(values).catch(() => undefined))}
        >
          {reset.isError && <ErrorPanel error={reset.error} />}
          <NewPasswordField
            label="New password"
            className="h-10"
            error={formState.errors.password?.message}
            registration={register("password", newPasswordRules)}
          />
          <Button type="submit" variant="primary" size="lg" busy={formState.isSubmitting}>
            Save password
          </Button>
        </form>
      )}
    </AuthPage>
  );
}
