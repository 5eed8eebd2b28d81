import { useMutation } from "@tanstack/react-query";
import { LogIn } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import type { SignInOptions } from "@/lib/api/types";

import { sendWithoutSession } from "./send-without-session";

interface Props {
  issuers: SignInOptions["issuers"];
  /** The page to open afterwards; null to continue in a new tab, so that this page stays as it is. */
  next: string | null;
}

/** Signs in at an issuer: the browser leaves for it, and comes back to the callback page. */
export function IssuerForm({ issuers, next }: Props) {
  const begin = useMutation({
    mutationFn: async (issuer: string) => {
      // Opened before the request: browsers block windows that no click opens.
      const tab = next === null ? window.open("", "_blank") : null;
      try {
        const content = { issuer, next: next ?? "/" };
        const answer = await sendWithoutSession("POST", "/api/v1/sign-in/issuer", content);
        (tab ?? window).location.assign((answer as { url: string }).url);
      } catch (error) {
        tab?.close();
        throw error;
      }
    },
  });
  return (
    <div className="grid gap-3">
      {begin.isError && <ErrorPanel error={begin.error} />}
      {issuers.map(({ id, name }) => (
        <Button
          key={id}
          variant="primary"
          size="lg"
          busy={begin.isPending && begin.variables === id}
          onClick={() => begin.mutate(id)}
        >
          <LogIn aria-hidden />
          Sign in with {name}
        </Button>
      ))}
      {next === null && (
        <p className="text-xs text-ink-faint">
          In a new tab. This page continues once you are signed in there.
        </p>
      )}
    </div>
  );
}
