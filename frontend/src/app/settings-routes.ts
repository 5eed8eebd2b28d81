/** The pages of settings, people and the own account. */
import { createRoute } from "@tanstack/react-router";

import * as guarded from "./guarded-pages";
import { lazyPage } from "./lazy-page";
import * as search from "./route-search";
import { shell } from "./shell-route";

export const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyPage(async () => (await import("@/features/settings/settings-page")).SettingsPage),
});

export const people = createRoute({
  getParentRoute: () => shell,
  path: "/settings/people",
  component: guarded.people,
});

export const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: "/settings/api-keys",
  component: guarded.apiKeys,
});

export const workspaces = createRoute({
  getParentRoute: () => shell,
  path: "/settings/workspaces",
  component: guarded.workspaces,
});

export const audit = createRoute({
  getParentRoute: () => shell,
  path: "/settings/audit",
  validateSearch: search.auditSearch,
  component: guarded.audit,
});

export const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyPage(async () => (await import("@/features/team/account-page")).AccountPage),
});
