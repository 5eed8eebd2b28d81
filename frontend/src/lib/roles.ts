/** The roles of people and API keys in a workspace. */
import type { Scope, WorkspaceRole } from "@/lib/api/types";

export interface RoleChoice {
  value: WorkspaceRole;
  label: string;
  hint: string;
}

export const ROLES: RoleChoice[] = [
  { value: "viewer", label: "Viewer", hint: "Sees everything, changes nothing." },
  {
    value: "operator",
    label: "Operator",
    hint: "Also starts and stops runs, and answers approvals.",
  },
  { value: "editor", label: "Editor", hint: "Also changes workflows, projects and models." },
  { value: "owner", label: "Owner", hint: "Also manages people, API keys and providers." },
];

/** The role with the fewest rights that includes a scope; a test compares it with the server's table. */
const NEEDED: Record<Scope, WorkspaceRole | "administrator"> = {
  "providers:read": "viewer",
  "models:read": "viewer",
  "workflows:read": "viewer",
  "projects:read": "viewer",
  "runs:read": "viewer",
  "tools:read": "viewer",
  "runs:write": "operator",
  "approvals:write": "operator",
  "traces:write": "operator",
  "workflows:write": "editor",
  "projects:write": "editor",
  "code:write": "editor",
  "models:write": "editor",
  "tools:try": "editor",
  "providers:write": "owner",
  "connections:write": "owner",
  "people:read": "owner",
  "people:write": "owner",
  "keys:read": "owner",
  "keys:write": "owner",
  "settings:write": "owner",
  "audit:read": "owner",
  "metrics:read": "administrator",
  "instance:admin": "administrator",
};

export function roleFor(scope: Scope): WorkspaceRole | "administrator" {
  return NEEDED[scope];
}

export function roleLabel(role: WorkspaceRole | null): string {
  return ROLES.find(({ value }) => value === role)?.label ?? "Administrator";
}
