import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";

import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { ApiProblem } from "@/lib/api/problem";
import { session } from "@/lib/api/session";

import { startSessionWith } from "./send-without-session";
import { toSignInError, type SignInError } from "./sign-in-error";
import { SignInErrorAlert } from "./sign-in-error-alert";

interface Values {
  email: string;
  password: string;
  code: string;
  remember: boolean;
}

/** Signs in with an e-mail address and a password, and with a code if the account has a second factor. */
export function PasswordForm({ onSignedIn }: { onSignedIn: () => void }) {
  const [signInError, setSignInError] = useState<SignInError | null>(null);
  const [needsCode, setNeedsCode] = useState(false);
  const { register, handleSubmit, formState, setError, setFocus } = useForm<Values>({
    defaultValues: { email: "", password: "", code: "", remember: session.isRemembered },
    reValidateMode: "onSubmit",
  });
  useEffect(() => {
    if (needsCode) setFocus("code");
  }, [needsCode, setFocus]);
  const signIn = async ({ email, password, code, remember }: Values) => {
    setSignInError(null);
    try {
      const body = { email: email.trim(), password, remember, ...(needsCode ? { code } : {}) };
      session.signIn(await startSessionWith("/api/v1/sign-in", body, remember));
    } catch (error) {
      const slug = error instanceof ApiProblem ? error.slug : "";
      if (slug === "code-needed") return setNeedsCode(true);
      if (slug === "code-wrong")
        return setError("code", { message: "This code is wrong or used." });
      if (slug === "sign-in-failed" || slug === "invalid-request") {
        return setError("password", { message: "The e-mail address or the password is wrong." });
      }
      return setSignInError(toSignInError(error));
    }
    onSignedIn();
  };
  const { errors } = formState;
  return (
    <form className="grid gap-4" noValidate onSubmit={handleSubmit(signIn)}>
      {signInError && signInError.kind !== "invalid-key" && (
        <SignInErrorAlert error={signInError} />
      )}
      <Field label="E-mail address" error={errors.email?.message}>
        <Input
          type="email"
          autoComplete="username"
          className="h-10"
          {...register("email", { required: "Enter your e-mail address." })}
        />
      </Field>
      <Field label="Password" error={alertText(errors.password?.message)}>
        <Input
          type="password"
          autoComplete="current-password"
          className="h-10"
          {...register("password", { required: "Enter your password." })}
        />
      </Field>
      {needsCode && (
        <Field
          label="Code"
          hint="From your authenticator app, or a recovery code."
          error={alertText(errors.code?.message)}
        >
          <Input
            autoComplete="one-time-code"
            className="h-10 font-mono"
            {...register("code", { required: "Enter the code." })}
          />
        </Field>
      )}
      <Checkbox
        label="Remember on this device"
        hint="For 30 days. Otherwise you are signed out when the browser is closed."
        {...register("remember")}
      />
      <Button type="submit" variant="primary" size="lg" busy={formState.isSubmitting}>
        Sign in
      </Button>
      <p className="text-xs text-ink-faint">
        Forgot your password? An owner of your workspace can send you a link for a new one.
      </p>
    </form>
  );
}

function alertText(message: string | undefined) {
  return message && <span role="alert">{message}</span>;
}
