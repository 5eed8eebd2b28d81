import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { NewPasswordField } from "@/components/new-password-field";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import { session, useSessionState } from "@/lib/api/session";
import { newPasswordRules } from "@/lib/new-password";

import { AuthPage } from "./auth-page";
import { readLinkToken } from "./link-token";
import { PasswordForm } from "./password-form";
import { startSessionWith } from "./send-without-session";

interface Values {
  name: string;
  password: string;
}

/** Accepts an invitation: with a new account, or with the one that is signed in. */
export function InvitationPage() {
  const [token] = useState(readLinkToken);
  const isSignedIn = useSessionState() === "signed-in";
  return (
    <AuthPage
      title="Invitation"
      heading="You are invited"
      description={
        isSignedIn ? "Join the workspace with your account" : "Create your account on this server"
      }
    >
      {isSignedIn ? <JoinForm token={token} /> : <AccountForm token={token} />}
    </AuthPage>
  );
}

function JoinForm({ token }: { token: string }) {
  const join = useMutation({
    mutationFn: async () => {
      const workspace = body(await api.POST("/api/v1/me/invitations", { body: { token } }));
      const entered = body(
        await api.POST("/api/v1/me/workspace", { body: { workspaceId: workspace.id } }),
      );
      const { endsAtIssuer } = session;
      session.signIn({ csrfToken: entered.csrfToken, isRemembered: false, endsAtIssuer });
      // Everything in memory belongs to the workspace before.
      location.assign("/");
    },
  });
  return (
    <div className="grid gap-4">
      {join.isError && <ErrorPanel error={join.error} />}
      <Button variant="primary" size="lg" busy={join.isPending} onClick={() => join.mutate()}>
        Join the workspace
      </Button>
    </div>
  );
}

function AccountForm({ token }: { token: string }) {
  const navigate = useNavigate();
  const { register, handleSubmit, formState } = useForm<Values>();
  const accept = useMutation({
    mutationFn: async (values: Values) => {
      const content = { token, ...values };
      session.signIn(await startSessionWith("/api/v1/sign-in/invitation", content, false));
      await navigate({ to: "/", replace: true });
    },
  });
  const { errors } = formState;
  if (accept.error instanceof ApiProblem && accept.error.slug === "sign-in-needed") {
    return (
      <>
        <Alert title="You have an account">Sign in with it to join the workspace.</Alert>
        {/* Once signed in, the page offers to join. */}
        <PasswordForm onSignedIn={() => undefined} />
      </>
    );
  }
  return (
    <form
      className="grid gap-4"
      noValidate
      onSubmit={handleSubmit((values) => accept.mutateAsync(values).catch(() => undefined))}
    >
      {accept.isError && <ErrorPanel error={accept.error} />}
      <Field label="Your name" error={errors.name?.message}>
        <Input
          autoComplete="name"
          className="h-10"
          {...register("name", { required: "Enter your name." })}
        />
      </Field>
      <NewPasswordField
        label="Password"
        className="h-10"
        error={errors.password?.message}
        registration={register("password", newPasswordRules)}
      />
      <Button type="submit" variant="primary" size="lg" busy={formState.isSubmitting}>
        Create account
      </Button>
    </form>
  );
}
