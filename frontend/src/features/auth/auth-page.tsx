import { useEffect, type ReactNode } from "react";

import { usePageTitle } from "@/hooks/use-page-title";

interface Props {
  /** The document's title. */
  title: string;
  heading: string;
  description: ReactNode;
  children: ReactNode;
}

/** Layout of the pages that are shown without a session. */
export function AuthPage({ title, heading, description, children }: Props) {
  usePageTitle(title);
  useEffect(() => {
    document.documentElement.dataset.ready = "";
  }, []);
  return (
    <main id="main" className="grid min-h-dvh place-items-center p-4">
      <div className="grid w-full max-w-96 animate-appear gap-6">
        <div className="grid justify-items-center gap-3 text-center">
          <img src="/favicon.svg" alt="" width={44} height={44} />
          <div>
            <h1 className="text-xl leading-7 font-semibold">{heading}</h1>
            <p className="text-ink-soft">{description}</p>
          </div>
        </div>
        <div className="grid gap-5 rounded-lg border bg-surface p-5">{children}</div>
      </div>
    </main>
  );
}
