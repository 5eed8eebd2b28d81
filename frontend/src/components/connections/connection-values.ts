/** The values of the form of a connection, and what is sent of them. */
import type { components } from "@/lib/api/schema";
import type { Connection } from "@/lib/api/types";

import { CONNECTION_KINDS, type ConnectionKind } from "./connection-kinds";

type Schemas = components["schemas"];
type HttpAuth = Schemas["HttpAuth"];
type HttpMethod = Schemas["HttpMethod"];
type ConnectionTls = Schemas["ConnectionTls"];

export const HTTP_METHODS: HttpMethod[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export interface ConnectionValues {
  name: string;
  baseUrl: string;
  secret: string;
  auth: HttpAuth;
  header: string;
  username: string;
  methods: HttpMethod[];
  tokenUrl: string;
  scope: string;
  tls: ConnectionTls;
  sender: string;
  /** One address or domain per line. */
  recipients: string;
  isDefault: boolean;
}

export function newConnectionValues(kind: ConnectionKind, taken: string[]): ConnectionValues {
  return {
    name: pickName(CONNECTION_KINDS[kind].title, taken),
    baseUrl: "",
    secret: "",
    auth: "bearer",
    header: "",
    username: "",
    methods: ["GET"],
    tokenUrl: "",
    scope: "",
    tls: "verify",
    sender: "",
    recipients: "",
    isDefault: false,
  };
}

export function connectionValues(connection: Connection): ConnectionValues {
  const { name, baseUrl, options, isDefault } = connection;
  return {
    name,
    baseUrl: baseUrl ?? "",
    secret: "",
    auth: options.auth,
    header: options.header ?? "",
    username: options.username ?? "",
    methods: options.methods ?? [],
    tokenUrl: options.tokenUrl ?? "",
    scope: options.scope ?? "",
    tls: options.tls,
    sender: options.sender ?? "",
    recipients: (options.recipients ?? []).join("\n"),
    isDefault,
  };
}

export function toCreate(
  kind: ConnectionKind,
  values: ConnectionValues,
): Schemas["ConnectionCreate"] {
  return {
    name: values.name,
    kind,
    baseUrl: values.baseUrl.trim() || null,
    secret: values.secret || null,
    options: toOptions(kind, values),
    isDefault: values.isDefault,
  };
}

/** What is sent of a changed connection: an empty secret keeps the stored one, if one is used. */
export function toUpdate(
  kind: ConnectionKind,
  values: ConnectionValues,
): Partial<Schemas["ConnectionUpdate"]> {
  const usesSecret = kind !== "http" || values.auth !== "none";
  return {
    name: values.name,
    baseUrl: values.baseUrl.trim() || null,
    options: toOptions(kind, values),
    isDefault: values.isDefault,
    ...(values.secret ? { secret: values.secret } : usesSecret ? {} : { secret: null }),
  };
}

function toOptions(kind: ConnectionKind, values: ConnectionValues): Schemas["ConnectionOptions"] {
  const { auth, methods, tls } = values;
  const username = values.username.trim() || null;
  const unused = { auth: "none", methods: ["GET"], tls: "verify" } as const;
  if (kind === "postgresql") return { ...unused, methods: ["GET"], tls, username };
  if (kind === "smtp") {
    const recipients = values.recipients.split(/[\s,]+/).filter(Boolean);
    return { ...unused, methods: ["GET"], tls, username, sender: values.sender.trim(), recipients };
  }
  if (kind !== "http") return { ...unused, methods: ["GET"] };
  return {
    ...unused,
    auth,
    methods,
    header: auth === "header" ? values.header : null,
    username: auth === "basic" || auth === "oauth" ? username : null,
    tokenUrl: auth === "oauth" ? values.tokenUrl.trim() : null,
    scope: auth === "oauth" ? values.scope.trim() || null : null,
  };
}

function pickName(title: string, taken: string[]): string {
  let name = title;
  for (let number = 2; taken.includes(name); number += 1) name = `${title} ${number}`;
  return name;
}
