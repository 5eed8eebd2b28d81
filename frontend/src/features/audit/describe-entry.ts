/** Words for entries of the audit log. */
import type { AuditEntry } from "@/lib/api/types";

const ACTORS: Record<AuditEntry["actorKind"], string> = {
  person: "Person",
  "api-key": "API key",
  "server-key": "Server's API key",
  execution: "Run elsewhere",
  trigger: "Trigger",
  command: "Command line",
  system: "Server",
  anonymous: "Not signed in",
};

const REASONS: Record<string, string> = {
  "scope-missing": "The right was missing",
  "more-than-own-rights": "More than their own rights",
  "sign-in-failed": "Wrong e-mail address or password",
  "code-wrong": "Wrong code",
  "password-wrong": "Wrong password",
  unauthenticated: "Invalid or revoked API key",
  "link-invalid": "Invalid link",
  "too-many-failed-sign-ins": "Too many failed sign-ins",
  "too-many-to-list": "Further attempts, too many to list",
  "cross-site-request": "Sent by another site",
};

export const ACTOR_KINDS = ["server-key", "command", "system", "anonymous"] as const;

export function actorKindLabel(kind: AuditEntry["actorKind"]): string {
  return ACTORS[kind];
}

export function describeActor({ actorKind, actorName, actorId }: AuditEntry): string {
  if (actorName) return actorName;
  return actorId ? `${ACTORS[actorKind]} ${actorId}` : ACTORS[actorKind];
}

/** `providers:update_provider` → `Update provider`. */
export function describeOperation(operation: string): string {
  if (operation === "authenticate") return "Use an API key";
  const [group = "", name] = operation.split(":");
  const words = (name ?? group).replace(/[_-]/g, " ");
  const sentence = words.charAt(0).toUpperCase() + words.slice(1);
  return group === "command" ? `Command: ${words}` : sentence;
}

export function describeReason(reason: string): string {
  return REASONS[reason] ?? reason;
}

/** A value of a changed field as text; an empty one as a dash. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
