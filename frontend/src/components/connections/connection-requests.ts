/** API requests for connections. */
import { api, body } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { Connection } from "@/lib/api/types";

type Schemas = components["schemas"];
export type TestReport = Schemas["ConnectionTestReport"];

export async function createConnection(
  connection: Schemas["ConnectionCreate"],
): Promise<Connection> {
  return body(await api.POST("/api/v1/connections", { body: { connection } })).connection;
}

export async function updateConnection(
  base: Connection,
  connection: Partial<Schemas["ConnectionUpdate"]>,
): Promise<Connection> {
  const params = { path: { connection_id: base.id }, header: ifMatchHeader(base) };
  const sent = { connection: connection as Schemas["ConnectionUpdate"] };
  return body(await api.PATCH("/api/v1/connections/{connection_id}", { params, body: sent }));
}

export async function deleteConnection(connection: Connection): Promise<void> {
  const params = { path: { connection_id: connection.id }, header: ifMatchHeader(connection) };
  await api.DELETE("/api/v1/connections/{connection_id}", { params });
}

export async function testConnection(connectionId: string): Promise<TestReport> {
  const params = { path: { connection_id: connectionId } };
  return body(await api.POST("/api/v1/connections/{connection_id}/test", { params }));
}

export async function testConnectionValues(
  connection: Schemas["ConnectionCreate"],
): Promise<TestReport> {
  return body(await api.POST("/api/v1/connections/test", { body: { connection } }));
}

function ifMatchHeader({ version }: { version: number }) {
  return { "if-match": `"${version}"` };
}
