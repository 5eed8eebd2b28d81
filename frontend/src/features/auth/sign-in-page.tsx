import { useNavigate, useSearch } from "@tanstack/react-router";

import { nextPath } from "@/lib/next-path";

import { ApiKeyHelp } from "./api-key-help";
import { AuthPage } from "./auth-page";
import { SignInForms, useSignInMethod } from "./sign-in-forms";

/** Signs in at an issuer or with a password if this server has people, else with its API key. */
export function SignInPage() {
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const choice = useSignInMethod();
  const onSignedIn = () => void navigate({ href: nextPath(next), replace: true });
  return (
    <AuthPage title="Sign in" heading="Sign in to CrewAI Runner" description={choice.description}>
      <SignInForms {...choice} next={nextPath(next)} onSignedIn={onSignedIn} />
      {choice.method === "api-key" && <ApiKeyHelp />}
    </AuthPage>
  );
}
