import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { apiKeysQuery } from "@/lib/queries/team";
import { useCan } from "@/lib/rights";

import { ApiKeyRow } from "./api-key-row";
import { NewApiKeyDialog } from "./new-api-key-dialog";

/** API keys of the workspace, or the caller's own. */
export function ApiKeysCard({ own }: { own: boolean }) {
  const [isCreating, setIsCreating] = useState(false);
  const list = useInfiniteQuery(apiKeysQuery(own));
  const keys = list.data?.pages.flatMap((page) => page.apiKeys) ?? [];
  const canCreate = useCan("keys:write") || own;
  const create = canCreate && (
    <Button size="sm" onClick={() => setIsCreating(true)}>
      <Plus aria-hidden />
      New API key
    </Button>
  );
  return (
    <Card title={own ? "Your API keys" : "Keys of the workspace"} actions={create}>
      {list.isPending ? (
        <SkeletonRows rows={2} />
      ) : list.isError && keys.length === 0 ? (
        <ErrorPanel error={list.error} className="m-4" onRetry={() => list.refetch()} />
      ) : keys.length === 0 ? (
        <EmptyState icon={KeyRound} title="No API keys">
          {own
            ? "A key of yours acts as you, for example from scripts on your laptop."
            : "Give each program a key of its own, with no more rights than it needs."}
        </EmptyState>
      ) : (
        <ul aria-label="API keys" className="divide-y divide-line">
          {keys.map((key) => (
            <ApiKeyRow key={key.id} apiKey={key} own={own} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          More keys
        </LoadMore>
      )}
      <NewApiKeyDialog own={own} open={isCreating} onClose={() => setIsCreating(false)} />
    </Card>
  );
}
