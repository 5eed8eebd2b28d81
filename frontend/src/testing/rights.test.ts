// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { roleFor } from "@/lib/roles";

import { ALL_SCOPES, DOCUMENT, ROLE_SCOPES } from "./scopes";
import { SOURCE_FILES, SRC } from "./source-files";

/** Where an action is hidden from those who may not do it, by the operations that it uses. */
const GUARDS: Record<string, string[]> = {
  "POST /api/v1/runs": [
    "app/guarded-pages.ts",
    "features/workflows/workflow-row.tsx",
    "features/projects/project-list.tsx",
    "features/palette/use-command-search.ts",
    "features/editor/edit-tab.tsx",
    "features/editor/tabs/version-detail.tsx",
    "components/project/project-frame.tsx",
    "components/project/project-tabs.tsx",
  ],
  "POST /api/v1/runs/preflight": ["app/guarded-pages.ts"],
  "POST /api/v1/triggers": ["app/guarded-pages.ts"],
  "POST /api/v1/triggers/{trigger_id}/preview": ["app/guarded-pages.ts"],
  "PATCH /api/v1/triggers/{trigger_id}": ["app/guarded-pages.ts"],
  "DELETE /api/v1/triggers/{trigger_id}": ["app/guarded-pages.ts"],
  "POST /api/v1/triggers/{trigger_id}/rotate": ["app/guarded-pages.ts"],
  "POST /api/v1/triggers/{trigger_id}/deliveries/{trigger_delivery_id}/replay": [
    "app/guarded-pages.ts",
  ],
  "DELETE /api/v1/runs": ["features/settings/danger-card.tsx"],
  "POST /api/v1/runs/{run_id}/stop": [
    "features/run/header/run-actions.tsx",
    "features/run/budget/budget-banner.tsx",
    "features/runs/selection-bar.tsx",
  ],
  "POST /api/v1/runs/{run_id}/retry": ["features/run/header/rerun-menu.tsx"],
  "POST /api/v1/runs/{run_id}/fork": ["features/run/header/rerun-menu.tsx"],
  "POST /api/v1/runs/{run_id}/resume": [
    "features/run/header/rerun-menu.tsx",
    "features/run/banners/failed-banner.tsx",
    "features/run/budget/budget-banner.tsx",
    "features/run/detail/failure-card.tsx",
  ],
  "POST /api/v1/runs/{run_id}/messages": ["features/run/chat/chat-tab.tsx"],
  "POST /api/v1/chat": ["features/run/chat/chat-tab.tsx"],
  "POST /api/v1/approvals/{approval_id}/resolve": [
    "features/run/approvals/approval-card.tsx",
    "features/run/approvals/approval-banner.tsx",
  ],
  "POST /api/v1/workflows": [
    "app/guarded-pages.ts",
    "app/use-global-shortcuts.ts",
    "features/palette/use-static-commands.ts",
    "features/workflows/workflows-page.tsx",
    "features/workflows/workflow-row-menu.tsx",
    "features/editor/header/workflow-actions-menu.tsx",
    "features/dashboard/getting-started.tsx",
    "features/runs/no-runs.tsx",
  ],
  "POST /api/v1/workflows/import": ["app/guarded-pages.ts"],
  "POST /api/v1/workflows/import/preview": ["app/guarded-pages.ts"],
  "POST /api/v1/workflows/{workflow_id}/knowledge/{knowledge_file_id}/embed": [
    "features/editor/tabs/knowledge-row.tsx",
  ],
  "DELETE /api/v1/workflows/{workflow_id}/knowledge/{knowledge_file_id}": [
    "features/editor/tabs/knowledge-row.tsx",
  ],
  "POST /api/v1/workflows/{workflow_id}/memories/delete": ["features/editor/tabs/memory-tab.tsx"],
  "DELETE /api/v1/workflows/{workflow_id}/memories": ["features/editor/tabs/memory-tab.tsx"],
  "PUT /api/v1/workflows/{workflow_id}": [
    "features/editor/edit-tab.tsx",
    "features/editor/header/page-tabs.tsx",
  ],
  "DELETE /api/v1/workflows/{workflow_id}": [
    "features/workflows/workflow-row-menu.tsx",
    "features/editor/header/workflow-actions-menu.tsx",
  ],
  "POST /api/v1/workflows/{workflow_id}/versions/{number}/restore": [
    "features/editor/tabs/restore-version.tsx",
  ],
  "PATCH /api/v1/projects/{project_id}": [
    "components/project/model-choices.tsx",
    "features/projects/tabs/approver-choice.tsx",
    "features/projects/tabs/entry-point-choice.tsx",
    "features/projects/tabs/hosts-tab.tsx",
    "features/run/banners/refused-hosts-banner.tsx",
  ],
  "DELETE /api/v1/projects/{project_id}": ["features/projects/tabs/overview-tab.tsx"],
  "POST /api/v1/projects/{project_id}/versions/{number}/build": [
    "components/project/version-build.tsx",
  ],
  "PUT /api/v1/projects/{project_id}/secrets/{name}": [
    "features/projects/tabs/secrets-tab.tsx",
    "features/launch/project-launch.tsx",
  ],
  "DELETE /api/v1/projects/{project_id}/secrets/{name}": ["features/projects/tabs/secrets-tab.tsx"],
  "POST /api/v1/providers": [
    "features/models/models-page.tsx",
    "features/dashboard/getting-started.tsx",
    "components/project/model-choices.tsx",
  ],
  "PATCH /api/v1/providers/{provider_id}": ["features/models/provider-card.tsx"],
  "DELETE /api/v1/providers/{provider_id}": ["features/models/provider-card.tsx"],
  "POST /api/v1/providers/test": ["features/models/models-page.tsx"],
  "POST /api/v1/providers/{provider_id}/test": ["features/models/provider-card.tsx"],
  "POST /api/v1/mcp/servers": ["features/mcp/mcp-servers-page.tsx"],
  "PUT /api/v1/mcp/servers/{mcp_server_id}": ["features/mcp/mcp-server-page.tsx"],
  "DELETE /api/v1/mcp/servers/{mcp_server_id}": ["features/mcp/mcp-server-page.tsx"],
  "POST /api/v1/mcp/servers/{mcp_server_id}/connect": ["features/mcp/mcp-server-page.tsx"],
  "POST /api/v1/mcp/servers/{mcp_server_id}/tools/review": [
    "features/mcp/tools-card.tsx",
    "features/mcp/tool-row.tsx",
  ],
  "POST /api/v1/mcp/servers/{mcp_server_id}/contents": ["features/mcp/contents-card.tsx"],
  "POST /api/v1/mcp/servers/{mcp_server_id}/contents/read": ["features/mcp/contents-card.tsx"],
  "POST /api/v1/mcp/servers/{mcp_server_id}/authorize": ["features/mcp/authorization-card.tsx"],
  "POST /api/v1/mcp/authorizations/finish": ["app/guarded-pages.ts"],
  "POST /api/v1/mcp/import/config": ["features/mcp/mcp-servers-page.tsx"],
  "POST /api/v1/mcp/tools/test": ["features/mcp/tool-row.tsx"],
  "POST /api/v1/models": ["features/models/provider-card.tsx"],
  "PATCH /api/v1/models/{model_id}": ["features/models/model-list.tsx"],
  "DELETE /api/v1/models/{model_id}": ["features/models/model-list.tsx"],
  "POST /api/v1/connections": [
    "features/tools/tools-page.tsx",
    "features/tools/tool-catalog.tsx",
    "features/tools/connection-list.tsx",
    "features/editor/form/tool-picker.tsx",
  ],
  "POST /api/v1/apis": ["features/tools/api-list.tsx"],
  "POST /api/v1/apis/preview": ["features/tools/api-list.tsx"],
  "DELETE /api/v1/apis/{api_id}": ["features/tools/api-list.tsx"],
  "POST /api/v1/connections/test": ["features/tools/tools-page.tsx"],
  "POST /api/v1/connections/{connection_id}/test": ["features/tools/connection-list.tsx"],
  "PATCH /api/v1/connections/{connection_id}": [
    "features/tools/tools-page.tsx",
    "features/tools/connection-list.tsx",
  ],
  "DELETE /api/v1/connections/{connection_id}": ["features/tools/connection-list.tsx"],
  "POST /api/v1/tools/try": ["features/tools/tools-page.tsx", "features/tools/tool-catalog.tsx"],
  "POST /api/v1/invitations": ["features/team/people-page.tsx"],
  "DELETE /api/v1/invitations/{invitation_id}": ["features/team/invitation-list.tsx"],
  "PATCH /api/v1/people/{person_id}": ["features/team/person-row.tsx"],
  "DELETE /api/v1/people/{person_id}": ["features/team/person-row.tsx"],
  "DELETE /api/v1/people/{person_id}/sessions": ["features/team/person-row.tsx"],
  "POST /api/v1/people/{person_id}/password-reset": ["features/team/person-row.tsx"],
  "DELETE /api/v1/people/{person_id}/account": ["features/team/person-row.tsx"],
  "POST /api/v1/runs/{run_id}/public-links": ["features/run/sharing/share-dialog.tsx"],
  "DELETE /api/v1/runs/{run_id}/public-links/{public_link_id}": [
    "features/run/sharing/share-dialog.tsx",
  ],
  "PATCH /api/v1/workspace": ["features/settings/team-card.tsx"],
  "PUT /api/v1/workspace/quotas": ["features/settings/quotas-card.tsx"],
  "PUT /api/v1/workspaces/{workspace_id}/quotas": [
    "features/settings/quotas-card.tsx",
    "app/guarded-pages.ts",
  ],
  "POST /api/v1/api-keys": ["features/team/api-keys-card.tsx"],
  "DELETE /api/v1/api-keys/{api_key_id}": ["features/team/api-key-row.tsx"],
};

const read = (file: string) => readFileSync(join(SRC, file), "utf8");

describe("actions", () => {
  it("are hidden from those who may not do them", () => {
    const missing = Object.entries(GUARDS).flatMap(([operation, files]) =>
      files
        .filter((file) => !read(file).includes(`"${scopeOf(operation)}"`))
        .map((file) => `${file} does not check ${scopeOf(operation)} of ${operation}`),
    );
    expect(missing).toEqual([]);
  });

  it("are all known here", () => {
    expect(listChanges().toSorted()).toEqual(Object.keys(GUARDS).toSorted());
  });
});

describe("roleFor", () => {
  it("names the role with the fewest rights that has the scope", () => {
    const roles = (["viewer", "operator", "editor", "owner"] as const).map((role) => ({
      role,
      scopes: ROLE_SCOPES[role],
    }));
    for (const scope of ALL_SCOPES) {
      const lowest = roles.find(({ scopes }) => scopes.includes(scope));
      expect([scope, roleFor(scope)]).toEqual([scope, lowest?.role ?? "administrator"]);
    }
  });
});

/** The operations that the dashboard uses and that need more than the right to read. */
function listChanges(): string[] {
  const calls = SOURCE_FILES.filter((file) => !file.includes(".test.")).flatMap((file) => [
    ...read(file).matchAll(/\bapi\.(POST|PUT|PATCH|DELETE)\(\s*"([^"]+)"/g),
  ]);
  const operations = new Set(calls.map(([, method, path]) => `${method} ${path}`));
  return [...operations].filter((operation) => !scopeOf(operation).endsWith(":read"));
}

function scopeOf(operation: string): string {
  const [method = "", path = ""] = operation.split(" ");
  const declared = DOCUMENT.paths[path]?.[method.toLowerCase()]?.security ?? [];
  return declared[0]?.HTTPBearer[0] ?? "none:read";
}
