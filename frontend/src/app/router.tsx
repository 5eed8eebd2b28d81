import type { QueryClient } from "@tanstack/react-query";
import { createRoute, createRouter } from "@tanstack/react-router";

import { projectQuery } from "@/lib/queries/projects";
import { runQuery } from "@/lib/queries/runs";
import { workflowQuery } from "@/lib/queries/workflows";

import * as guarded from "./guarded-pages";
import { lazyPage } from "./lazy-page";
import { NotFoundPage } from "./not-found-page";
import { PageError } from "./page-error";
import { PagePending } from "./page-pending";
import * as open from "./open-routes";
import * as search from "./route-search";
import * as settings from "./settings-routes";
import { shell } from "./shell-route";

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
  component: guarded.newWorkflow,
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
  component: guarded.launch,
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
  component: guarded.projectLaunch,
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

const tools = createRoute({
  getParentRoute: () => shell,
  path: "/tools",
  validateSearch: search.toolsSearch,
  component: lazyPage(async () => (await import("@/features/tools/tools-page")).ToolsPage),
});

const mcpServers = createRoute({
  getParentRoute: () => shell,
  path: "/tools/mcp",
  component: lazyPage(async () => (await import("@/features/mcp/mcp-servers-page")).McpServersPage),
});

const mcpCallback = createRoute({
  getParentRoute: () => shell,
  path: "/tools/mcp/callback",
  component: guarded.mcpCallback,
});

const mcpServer = createRoute({
  getParentRoute: () => shell,
  path: "/tools/mcp/$serverId",
  component: lazyPage(async () => (await import("@/features/mcp/mcp-server-page")).McpServerPage),
});

const triggers = createRoute({
  getParentRoute: () => shell,
  path: "/triggers",
  component: guarded.triggers,
});

const notFound = createRoute({
  getParentRoute: () => shell,
  path: "$",
  component: NotFoundPage,
});

const routeTree = open.root.addChildren([
  open.signIn,
  open.issuerCallback,
  open.invitation,
  open.passwordReset,
  open.sharedRun,
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
    tools,
    mcpServers,
    mcpCallback,
    mcpServer,
    triggers,
    settings.settings,
    settings.people,
    settings.apiKeys,
    settings.workspaces,
    settings.audit,
    settings.account,
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
