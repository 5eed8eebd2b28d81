import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";

import { Page } from "@/components/page";

import { toAuditQuery, type AuditSearch } from "./audit-filter";
import { AuditView } from "./audit-view";
import { ExportButtons } from "./export-buttons";

const route = getRouteApi("/shell/settings/audit");

/** Changes and refused attempts in the workspace; the filters are in the URL. */
export function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = useCallback(
    (part: Partial<AuditSearch>) =>
      void navigate({ search: (before) => ({ ...before, ...part }), resetScroll: false }),
    [navigate],
  );
  const clear = useCallback(() => void navigate({ search: {}, resetScroll: false }), [navigate]);
  return (
    <Page
      title="Audit log"
      description="Every change in this workspace, and every attempt that was refused."
      actions={<ExportButtons filter={toAuditQuery(search)} />}
    >
      <AuditView search={search} onChange={change} onClear={clear} />
    </Page>
  );
}
