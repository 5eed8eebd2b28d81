import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";

import { usePageTitle } from "@/hooks/use-page-title";
import { nextPath } from "@/lib/next-path";

import { ApiKeyForm } from "./api-key-form";
import { ApiKeyHelp } from "./api-key-help";

export function SignInPage() {
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  usePageTitle("Sign in");
  useEffect(() => {
    document.documentElement.dataset.ready = "";
  }, []);
  return (
    <main id="main" className="grid min-h-dvh place-items-center p-4">
      <div className="grid w-full max-w-96 animate-appear gap-6">
        <div className="grid justify-items-center gap-3 text-center">
          <img src="/favicon.svg" alt="" width={44} height={44} />
          <div>
            <h1 className="text-xl leading-7 font-semibold">Sign in to CrewAI Runner</h1>
            <p className="text-ink-soft">Use the API key of this server</p>
          </div>
        </div>
        <div className="grid gap-5 rounded-lg border bg-surface p-5">
          <ApiKeyForm
            action="Sign in"
            onSignedIn={() => void navigate({ href: nextPath(next), replace: true })}
          />
          <ApiKeyHelp />
        </div>
      </div>
    </main>
  );
}
