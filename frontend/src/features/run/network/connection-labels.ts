import type { Tone } from "@/components/ui/badge";
import type { RunConnection, HostTraffic } from "@/lib/api/types";

const PURPOSES: Record<HostTraffic["purpose"], string> = {
  model: "Model",
  embedder: "Embedder",
  tool: "Tool",
  mcp: "MCP server",
  code: "Code of the project",
};

export const RESULTS: Record<HostTraffic["result"], { label: string; tone: Tone }> = {
  allowed: { label: "Allowed", tone: "ok" },
  failed: { label: "Failed", tone: "warn" },
  refused: { label: "Refused", tone: "err" },
};

/** `Tool http_get`, `Model OpenAI`. */
export function describePurpose({ purpose, name }: Pick<HostTraffic, "purpose" | "name">): string {
  return [PURPOSES[purpose], name].filter(Boolean).join(" ");
}

/** `api.example.com:443`; a sum of several hosts has no port. */
export function describeHost({ host, port }: Pick<HostTraffic, "host" | "port">): string {
  if (port === 0) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const COLUMNS = [
  "at",
  "host",
  "port",
  "purpose",
  "name",
  "agent",
  "taskKey",
  "sentBytes",
  "receivedBytes",
  "milliseconds",
  "result",
  "reason",
  "requests",
] as const satisfies readonly (keyof RunConnection)[];

/** The connections as CSV. Texts that a spreadsheet would calculate begin with an apostrophe. */
export function connectionsToCsv(connections: readonly RunConnection[]): string {
  const rows = connections.map((one) => COLUMNS.map((column) => csvCell(one[column])).join(","));
  return `${[COLUMNS.join(","), ...rows].join("\r\n")}\r\n`;
}

function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
