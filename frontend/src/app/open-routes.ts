/** The pages that are open to everyone. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, redirect } from "@tanstack/react-router";

import { session } from "@/lib/api/session";
import { nextPath } from "@/lib/next-path";

import { lazyPage } from "./lazy-page";
import * as search from "./route-search";

interface RouterContext {
  queryClient: QueryClient;
}

export const root = createRootRouteWithContext<RouterContext>()();

export const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: search.signInSearch,
  beforeLoad: ({ search: { next } }) => {
    if (session.state === "signed-in") throw redirect({ href: nextPath(next) });
  },
  component: lazyPage(async () => (await import("@/features/auth/sign-in-page")).SignInPage),
});

export const issuerCallback = createRoute({
  getParentRoute: () => root,
  path: "/sign-in/callback/$issuer",
  component: lazyPage(
    async () => (await import("@/features/auth/issuer-callback-page")).IssuerCallbackPage,
  ),
});

export const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyPage(async () => (await import("@/features/auth/invitation-page")).InvitationPage),
});

export const passwordReset = createRoute({
  getParentRoute: () => root,
  path: "/password-reset",
  component: lazyPage(
    async () => (await import("@/features/auth/password-reset-page")).PasswordResetPage,
  ),
});

export const sharedRun = createRoute({
  getParentRoute: () => root,
  path: "/shared",
  component: lazyPage(
    async () => (await import("@/features/run/shared/shared-run-page")).SharedRunPage,
  ),
});
