import { useState } from "react";

import { SegmentedControl } from "@/components/ui/segmented-control";

import { ApiKeyForm } from "./api-key-form";
import { IssuerForm } from "./issuer-form";
import { PasswordForm } from "./password-form";
import { useSignInOptions } from "./sign-in-options";

const LABELS = { issuer: "Single sign-on", password: "E-mail", "api-key": "API key" };
type Method = keyof typeof LABELS;

const DESCRIPTIONS: Record<Method, string> = {
  issuer: "Use the account of your organisation",
  password: "Use your account on this server",
  "api-key": "Use the API key of this server",
};

/** The ways to sign in that this server has, and the chosen one: the API key alone, unless it has people. */
export function useSignInMethod() {
  const { data } = useSignInOptions();
  const [chosen, setChosen] = useState<Method | null>(null);
  const methods: Method[] = ["api-key"];
  if (data?.password) methods.unshift("password");
  if (data?.issuers.length) methods.unshift("issuer");
  const method = chosen ?? methods[0] ?? "api-key";
  return {
    method,
    methods,
    setMethod: setChosen,
    issuers: data?.issuers ?? [],
    description: DESCRIPTIONS[method],
  };
}

interface Props extends ReturnType<typeof useSignInMethod> {
  /** The page to open after signing in at an issuer; null for a new tab. */
  next: string | null;
  onSignedIn: () => void;
}

/** The form of the chosen way to sign in. */
export function SignInForms({ method, methods, setMethod, issuers, next, onSignedIn }: Props) {
  return (
    <>
      {methods.length > 1 && (
        <SegmentedControl
          label="How to sign in"
          options={methods.map((value) => ({ value, label: LABELS[value] }))}
          value={method}
          onChange={setMethod}
          className="justify-self-center"
        />
      )}
      {method === "issuer" && <IssuerForm issuers={issuers} next={next} />}
      {method === "password" && <PasswordForm onSignedIn={onSignedIn} />}
      {method === "api-key" && <ApiKeyForm action="Sign in" onSignedIn={onSignedIn} />}
    </>
  );
}
