import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { SegmentedControl } from "@/components/ui/segmented-control";
import { nextPath } from "@/lib/next-path";

import { ApiKeyForm } from "./api-key-form";
import { ApiKeyHelp } from "./api-key-help";
import { AuthPage } from "./auth-page";
import { PasswordForm } from "./password-form";
import { sendWithoutSession } from "./send-without-session";

type Method = "password" | "api-key";

const METHODS: { value: Method; label: string }[] = [
  { value: "password", label: "E-mail" },
  { value: "api-key", label: "API key" },
];

/** Signs in with a password if this server has people, else with its API key. */
export function SignInPage() {
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<Method | null>(null);
  const options = useQuery({
    queryKey: ["sign-in-options"],
    queryFn: async () =>
      (await sendWithoutSession("GET", "/api/v1/sign-in/options")) as { password: boolean },
    retry: false,
  });
  const hasPeople = options.data?.password === true;
  const method: Method = chosen ?? (hasPeople ? "password" : "api-key");
  const onSignedIn = () => void navigate({ href: nextPath(next), replace: true });
  return (
    <AuthPage
      title="Sign in"
      heading="Sign in to CrewAI Runner"
      description={
        method === "password" ? "Use your account on this server" : "Use the API key of this server"
      }
    >
      {hasPeople && (
        <SegmentedControl
          label="How to sign in"
          options={METHODS}
          value={method}
          onChange={setChosen}
          className="justify-self-center"
        />
      )}
      {method === "password" ? (
        <PasswordForm onSignedIn={onSignedIn} />
      ) : (
        <>
          <ApiKeyForm action="Sign in" onSignedIn={onSignedIn} />
          <ApiKeyHelp />
        </>
      )}
    </AuthPage>
  );
}
