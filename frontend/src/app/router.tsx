import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  redirect,
} from "@tanstack/react-router";

import { session } from "@/lib/api/session";
import { nextPath } from "@/lib/next-path";
import { projectQuery } from "@/lib/queries/projects";
import { runQuery } from "@/lib/queries/runs";
import { workflowQuery } from "@/lib/queries/workflows";

import { lazyPage } from "./lazy-page";
import { NotFoundPage } from "./not-found-page";
import { PageError } from "./page-error";
import { PagePending } from "./page-pending";
import * as search from "./route-search";
import { Shell } from "./shell";

interface RouterContext {
  queryClient: QueryClient;
}

const root = createRootRouteWithContext<RouterContext>()();

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: search.signInSearch,
  beforeLoad: ({ search: { next } }) => {
    if (session.state === "signed-in") throw redirect({ href: nextPath(next) });
  },
  component: lazyPage(async () => (await import("@/features/auth/sign-in-page")).SignInPage),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyPage(async () => (await import("@/features/auth/invitation-page")).InvitationPage),
});

const passwordReset = createRoute({
  getParentRoute: () => root,
  path: "/password-reset",
  component: lazyPage(
    async () => (await import("@/features/auth/password-reset-page")).PasswordResetPage,
  ),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  beforeLoad: ({ location }) => {
    if (session.state === "signed-out") {
      throw redirect({ to: "/sign-in", search: { next: location.href } });
    }
  },
});

const dashboard = createRoute({
  getParentRoute: () => shell,
  path: "/",
  validateSearch: search.dashboardSearch,
  component: lazyPage(
    async () => (await import("@/features/dashboard/dashboard-page")).DashboardPage,
  ),
});

const workflows = createRoute({
  getParentRoute: () => shell,
  path: "/workflows",
  validateSearch: search.workflowsSearch,
  component: lazyPage(
    async () => (await import("@/features/workflows/workflows-page")).WorkflowsPage,
  ),
});

const newWorkflow = createRoute({
  getParentRoute: () => shell,
  path: "/workflows/new",
  validateSearch: search.newWorkflowSearch,
  component: lazyPage(
    async () => (await import("@/features/workflows/new-workflow-page")).NewWorkflowPage,
  ),
});

const workflow = createRoute({
  getParentRoute: () => shell,
  path: "/workflows/$workflowId",
  validateSearch: search.workflowSearch,
  // Fetched in parallel with the page's code; cached data is left for the page to refresh.
  loader: ({ context, params }) => {
    const query = { ...workflowQuery(params.workflowId), staleTime: Infinity };
    void context.queryClient.prefetchQuery(query);
  },
  component: lazyPage(async () => (await import("@/features/editor/editor-page")).EditorPage),
});

const launch = createRoute({
  getParentRoute: () => shell,
  path: "/workflows/$workflowId/run",
  validateSearch: search.launchSearch,
  component: lazyPage(async () => (await import("@/features/launch/launch-page")).LaunchPage),
});

const projects = createRoute({
  getParentRoute: () => shell,
  path: "/projects",
  validateSearch: search.projectsSearch,
  component: lazyPage(async () => (await import("@/features/projects/projects-page")).ProjectsPage),
});

const project = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$projectId",
  validateSearch: search.projectSearch,
  loader: ({ context, params }) => {
    const query = { ...projectQuery(params.projectId), staleTime: Infinity };
    void context.queryClient.prefetchQuery(query);
  },
  component: lazyPage(async () => (await import("@/features/projects/project-page")).ProjectPage),
});

const projectLaunch = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$projectId/run",
  validateSearch: search.launchSearch,
  component: lazyPage(
    async () => (await import("@/features/launch/project-launch-page")).ProjectLaunchPage,
  ),
});

const runs = createRoute({
  getParentRoute: () => shell,
  path: "/runs",
  validateSearch: search.runsSearch,
  component: lazyPage(async () => (await import("@/features/runs/runs-page")).RunsPage),
});

const compare = createRoute({
  getParentRoute: () => shell,
  path: "/runs/compare",
  validateSearch: search.compareSearch,
  component: lazyPage(async () => (await import("@/features/runs/compare-page")).ComparePage),
});

const run = createRoute({
  getParentRoute: () => shell,
  path: "/runs/$runId",
  validateSearch: search.runSearch,
  loader: ({ context, params }) => {
    void context.queryClient.prefetchQuery({ ...runQuery(params.runId), staleTime: Infinity });
  },
  component: lazyPage(async () => (await import("@/features/run/run-page")).RunPage),
});

const models = createRoute({
  getParentRoute: () => shell,
  path: "/models",
  validateSearch: search.modelsSearch,
  component: lazyPage(async () => (await import("@/features/models/models-page")).ModelsPage),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyPage(async () => (await import("@/features/settings/settings-page")).SettingsPage),
});

const people = createRoute({
  getParentRoute: () => shell,
  path: "/settings/people",
  component: lazyPage(async () => (await import("@/features/team/people-page")).PeoplePage),
});

const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: "/settings/api-keys",
  component: lazyPage(async () => (await import("@/features/team/api-keys-page")).ApiKeysPage),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyPage(async () => (await import("@/features/team/account-page")).AccountPage),
});

const notFound = createRoute({
  getParentRoute: () => shell,
  path: "$",
  component: NotFoundPage,
});

const routeTree = root.addChildren([
  signIn,
  invitation,
  passwordReset,
  shell.addChildren([
    dashboard,
    workflows,
    newWorkflow,
    workflow,
    launch,
    projects,
    project,
    projectLaunch,
    runs,
    compare,
    run,
    models,
    settings,
    people,
    apiKeys,
    account,
    notFound,
  ]),
]);

/** Creates the router with all pages. */
export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPendingComponent: PagePending,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
    scrollToTopSelectors: ["#main"],
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
