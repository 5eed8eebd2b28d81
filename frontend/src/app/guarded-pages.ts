/** The pages that not everyone may open. */
import { pageFor } from "./page-for";

export const newWorkflow = pageFor(
  "workflows:write",
  async () => (await import("@/features/workflows/new-workflow-page")).NewWorkflowPage,
);
export const launch = pageFor(
  "runs:write",
  async () => (await import("@/features/launch/launch-page")).LaunchPage,
);
export const projectLaunch = pageFor(
  "runs:write",
  async () => (await import("@/features/launch/project-launch-page")).ProjectLaunchPage,
);
export const mcpCallback = pageFor(
  "connections:write",
  async () => (await import("@/features/mcp/mcp-callback-page")).McpCallbackPage,
);
export const triggers = pageFor(
  "workflows:write",
  async () => (await import("@/features/triggers/triggers-page")).TriggersPage,
);
export const people = pageFor(
  "people:read",
  async () => (await import("@/features/team/people-page")).PeoplePage,
);
export const apiKeys = pageFor(
  "keys:read",
  async () => (await import("@/features/team/api-keys-page")).ApiKeysPage,
);
export const workspaces = pageFor(
  "instance:admin",
  async () => (await import("@/features/settings/workspaces-page")).WorkspacesPage,
);
export const audit = pageFor(
  "audit:read",
  async () => (await import("@/features/audit/audit-page")).AuditPage,
);
