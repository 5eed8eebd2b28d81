import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { lazyComponent } from "@/components/lazy-component";
import { useSessionState } from "@/lib/api/session";

import { RouteAnnouncer } from "./route-announcer";
import { OfflineBar } from "./offline-bar";
import { UnsandboxedBar } from "./unsandboxed-bar";
import type { Overlay } from "./overlay";
import { useGlobalShortcuts } from "./use-global-shortcuts";
import { useOwnRights } from "./use-own-rights";
import { Sidebar } from "./sidebar";
import { TopBar } from "./top-bar";
import { IdleBackground } from "./idle-background";

const Overlays = lazyComponent(async () => (await import("./overlays")).Overlays);
const SignInAgain = lazyComponent(
  async () => (await import("@/features/auth/session-expired-dialog")).SessionExpiredDialog,
);

/** Layout around every page of a signed-in user. */
export function Shell() {
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const expired = useSessionState() === "expired";
  useGlobalShortcuts(setOverlay);
  const isReady = useOwnRights() || expired;
  useEffect(() => {
    if (isReady) document.documentElement.dataset.ready = "";
  }, [isReady]);
  return (
    <div className="flex h-dvh">
      <SkipLink />
      <Sidebar />
      <div className="flex min-w-0 flex-1 flex-col">
        <TopBar onOpen={setOverlay} />
        <OfflineBar />
        <UnsandboxedBar />
        <main
          id="main"
          tabIndex={-1}
          data-scroll-restoration-id="main"
          className="relative min-h-0 flex-1 overflow-y-auto outline-none"
        >
          <Outlet />
        </main>
      </div>
      <RouteAnnouncer pathname={pathname} />
      <IdleBackground />
      {overlay && !expired && <Overlays open={overlay} onChange={setOverlay} />}
      {expired && <SignInAgain />}
    </div>
  );
}

function SkipLink() {
  return (
    <a
      href="#main"
      onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}
      className="sr-only z-50 rounded-md bg-accent px-3 py-2 font-medium text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
    >
      Skip to content
    </a>
  );
}
