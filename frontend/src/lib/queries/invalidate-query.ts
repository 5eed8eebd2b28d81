import type { QueryClient, QueryKey } from "@tanstack/react-query";

/**
 * Refetches a query, also when its first fetch is still running: `invalidateQueries` does not restart a
 * first fetch, whose response may predate the change.
 */
export async function invalidateQuery(queries: QueryClient, queryKey: QueryKey): Promise<void> {
  const query = queries.getQueryCache().find({ queryKey, exact: true });
  if (query?.state.fetchStatus === "fetching" && query.state.data === undefined) {
    // The component that uses the query shows its error.
    await query.promise?.catch(() => undefined);
  }
  await queries.invalidateQueries({ queryKey, exact: true });
}
