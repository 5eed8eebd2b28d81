import type { QueryClient, QueryKey } from "@tanstack/react-query";

/**
 * Has an answer asked for again because it is old now, the answer that is still on its way included: the
 * library leaves a first answer alone that was asked for before the news and may not hold it.
 */
export async function invalidateQuery(queries: QueryClient, queryKey: QueryKey): Promise<void> {
  const query = queries.getQueryCache().find({ queryKey, exact: true });
  if (query?.state.fetchStatus === "fetching" && query.state.data === undefined) {
    // What went wrong with it is told where it is shown.
    await query.promise?.catch(() => undefined);
  }
  await queries.invalidateQueries({ queryKey, exact: true });
}
