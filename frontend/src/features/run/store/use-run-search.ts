import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";

const route = getRouteApi("/shell/runs/$runId");

export type RunSearch = ReturnType<typeof route.useSearch>;

/** What the page's address says is shown, and the way to change it. */
export function useRunView() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  return useMemo(
    () => ({
      search,
      /** Replaces the entry in the history unless Back should lead here again. */
      show: (change: Partial<RunSearch>, { push = false } = {}) =>
        void navigate({
          search: (now) => without({ ...now, ...change }),
          replace: !push,
          resetScroll: false,
        }),
    }),
    [search, navigate],
  );
}

export type RunView = ReturnType<typeof useRunView>;

/** An address says only what differs from the usual. */
function without(search: RunSearch): RunSearch {
  return Object.fromEntries(
    Object.entries(search).filter(
      ([, value]) => value !== undefined && value !== false && value !== "" && !isEmpty(value),
    ),
  );
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
