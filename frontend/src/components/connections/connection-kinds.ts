/** The kinds of connections, with what their form shows. */
import type { Connection } from "@/lib/api/types";

export type ConnectionKind = Connection["kind"];
export type ConnectionPurpose = Connection["purpose"];

interface KindDetails {
  title: string;
  /** One line in the picker. */
  summary: string;
  purpose: ConnectionPurpose;
  /** What the secret is called; null for none. */
  secret: string | null;
  isSecretRequired: boolean;
  address: "required" | "default" | "none";
  keyPage?: string;
}

const KEY = { secret: "API key", isSecretRequired: true, address: "default" } as const;
const WEBHOOK = {
  secret: "Webhook URL",
  isSecretRequired: true,
  address: "none",
  purpose: "messages",
} as const;

export const CONNECTION_KINDS: Record<ConnectionKind, KindDetails> = {
  serper: {
    ...KEY,
    title: "Serper",
    summary: "Results of Google Search",
    purpose: "search",
    keyPage: "https://serper.dev/api-keys",
  },
  tavily: {
    ...KEY,
    title: "Tavily",
    summary: "Search made for agents",
    purpose: "search",
    keyPage: "https://app.tavily.com",
  },
  brave: {
    ...KEY,
    title: "Brave Search",
    summary: "An index of its own",
    purpose: "search",
    keyPage: "https://api-dashboard.search.brave.com",
  },
  exa: {
    ...KEY,
    title: "Exa",
    summary: "Search by meaning",
    purpose: "search",
    keyPage: "https://dashboard.exa.ai/api-keys",
  },
  searxng: {
    title: "SearXNG",
    summary: "Your own instance, without a key",
    purpose: "search",
    secret: "Token",
    isSecretRequired: false,
    address: "required",
  },
  http: {
    title: "HTTP host",
    summary: "An API that agents call",
    purpose: "http",
    secret: null,
    isSecretRequired: false,
    address: "required",
  },
  slack: { ...WEBHOOK, title: "Slack", summary: "An incoming webhook of a channel" },
  teams: { ...WEBHOOK, title: "Microsoft Teams", summary: "A workflow that posts to a channel" },
  discord: { ...WEBHOOK, title: "Discord", summary: "A webhook of a channel" },
  postgresql: {
    title: "PostgreSQL",
    summary: "A database that agents read",
    purpose: "database",
    secret: "Password",
    isSecretRequired: false,
    address: "required",
  },
  smtp: {
    title: "Mail server",
    summary: "Mails to people whom you allow",
    purpose: "email",
    secret: "Password",
    isSecretRequired: false,
    address: "required",
  },
};

export const PURPOSE_TITLES: Record<ConnectionPurpose, string> = {
  search: "Web search",
  http: "HTTP requests",
  messages: "Messages",
  database: "Databases",
  email: "E-mail",
};

/** The kinds to choose from for a purpose, such as `search`; all of them for another text. */
export function listKinds(purpose: string | null): ConnectionKind[] {
  const kinds = Object.keys(CONNECTION_KINDS) as ConnectionKind[];
  const chosen = kinds.filter((kind) => CONNECTION_KINDS[kind].purpose === purpose);
  return chosen.length > 0 ? chosen : kinds;
}
