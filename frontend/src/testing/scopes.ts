import { readFileSync } from "node:fs";

import type { Scope, WorkspaceRole } from "@/lib/api/types";

interface Operation {
  security?: { HTTPBearer: Scope[] }[];
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  "x-roles": Record<WorkspaceRole, Scope[]>;
  components: { schemas: { Scope: { enum: Scope[] } } };
}

/** The API document of the server. */
export const DOCUMENT = JSON.parse(readFileSync("../backend/openapi.json", "utf8")) as Document;
export const ALL_SCOPES = DOCUMENT.components.schemas.Scope.enum;
export const ROLE_SCOPES = DOCUMENT["x-roles"];
