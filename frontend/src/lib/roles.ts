/** The roles of people and API keys in a workspace. */
import type { WorkspaceRole } from "@/lib/api/types";

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

export function roleLabel(role: WorkspaceRole | null): string {
  return ROLES.find(({ value }) => value === role)?.label ?? "Administrator";
}
