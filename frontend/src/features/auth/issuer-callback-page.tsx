import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { session, useSessionState } from "@/lib/api/session";
import { nextPath } from "@/lib/next-path";

import { AuthPage } from "./auth-page";
import { describeRefusal, readIssuerAnswer, type IssuerAnswer } from "./issuer-answer";
import { sendWithoutSession } from "./send-without-session";
import { useSignInOptions } from "./sign-in-options";

interface FinishedSignIn {
  session: { csrfToken: string } | null;
  next: string;
}

/** Where an issuer sends the browser back: signs in with its answer, or says why that does not work. */
export function IssuerCallbackPage() {
  const { issuer } = useParams({ from: "/sign-in/callback/$issuer" });
  const [answer] = useState(readIssuerAnswer);
  const { data: options } = useSignInOptions();
  const name = options?.issuers.find(({ id }) => id === issuer)?.name ?? "the issuer";
  return (
    <AuthPage title="Sign in" heading="Signing in" description={`With your account at ${name}`}>
      {answer.error === null ? (
        <Completion issuer={issuer} answer={answer} />
      ) : (
        <>
          <Alert tone="err" title="You were not signed in">
            {describeRefusal(answer.error, name)}
          </Alert>
          <BackToSignIn />
        </>
      )}
    </AuthPage>
  );
}

function Completion({ issuer, answer }: { issuer: string; answer: IssuerAnswer }) {
  const navigate = useNavigate();
  // A query: the answer works once, and effects may run twice.
  const finish = useQuery({
    queryKey: ["issuer-callback", issuer, answer.state],
    queryFn: async () => {
      // The answer works once: it need not stay in the history.
      history.replaceState(history.state, "", location.pathname);
      const { code, state, iss } = answer;
      const content = { issuer, code, state, iss };
      // Of the session in which an identity is connected with the account.
      const headers: Record<string, string> = session.csrfToken
        ? { "X-CSRF-Token": session.csrfToken }
        : {};
      const finished = (await sendWithoutSession(
        "POST",
        "/api/v1/sign-in/issuer/callback",
        content,
        headers,
      )) as FinishedSignIn;
      if (finished.session) {
        const { csrfToken } = finished.session;
        session.signIn({ csrfToken, isRemembered: false, endsAtIssuer: true });
      }
      await navigate({ href: nextPath(finished.next), replace: true });
      return null;
    },
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  if (!finish.isError) return <p role="status">One moment …</p>;
  return (
    <>
      <ErrorPanel error={finish.error} />
      <BackToSignIn />
    </>
  );
}

function BackToSignIn() {
  const isSignedIn = useSessionState() === "signed-in";
  return (
    <Button asChild size="lg">
      {isSignedIn ? (
        <Link to="/account">Back to your account</Link>
      ) : (
        <Link to="/sign-in">Back to signing in</Link>
      )}
    </Button>
  );
}
