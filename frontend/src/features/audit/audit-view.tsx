import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { AuditEntry } from "@/lib/api/types";
import { auditQuery } from "@/lib/queries/audit";

import { AuditDrawer } from "./audit-drawer";
import { isFiltered, toAuditQuery, type AuditSearch } from "./audit-filter";
import { AuditFilters } from "./audit-filters";
import { AuditTable } from "./audit-table";

interface Props {
  search: AuditSearch;
  onChange: (change: Partial<AuditSearch>) => void;
  onClear: () => void;
}

/** The entries with filters, and the details of one. */
export function AuditView({ search, onChange, onClear }: Props) {
  const [shown, setShown] = useState<AuditEntry | null>(null);
  const list = useInfiniteQuery({
    ...auditQuery(toAuditQuery(search)),
    placeholderData: keepPreviousData,
  });
  const entries = list.data?.pages.flatMap((page) => page.entries) ?? [];
  const filterBy = (part: Partial<AuditSearch>) => {
    setShown(null);
    onChange(part);
  };
  return (
    <>
      <AuditFilters search={search} entries={entries} onChange={onChange} onClear={onClear} />
      {list.isPending ? (
        <SkeletonRows rows={8} className="rounded-lg border bg-surface" />
      ) : list.isError && entries.length === 0 ? (
        <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />
      ) : entries.length === 0 ? (
        <NoEntries filtered={isFiltered(search)} onClear={onClear} />
      ) : (
        <Card aria-label="Entries">
          <AuditTable entries={entries} onShow={setShown} />
        </Card>
      )}
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          Older entries
        </LoadMore>
      )}
      <p className="text-xs text-ink-faint">
        Entries are chained by hashes. To verify that none was changed or removed, run{" "}
        <code className="font-mono">crewai-runner audit verify</code> on the server, or with{" "}
        <code className="font-mono">--file</code> on an export in JSON lines without filters.
      </p>
      {shown && <AuditDrawer entry={shown} onFilter={filterBy} onClose={() => setShown(null)} />}
    </>
  );
}

function NoEntries({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return (
    <EmptyState
      icon={ScrollText}
      title={filtered ? "No entries match" : "Nothing has been changed yet"}
      actions={filtered && <Button onClick={onClear}>Clear filters</Button>}
    >
      {filtered
        ? "No change and no refused attempt has all of these properties."
        : "Changes to workflows, models, people and keys appear here, with who made them and from where."}
    </EmptyState>
  );
}
