import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";

const route = getRouteApi("/shell/runs/$runId");

export type RunSearchParams = ReturnType<typeof route.useSearch>;

/** The search parameters of the run page, and a function that changes them. */
export function useRunSearch() {
  const params = route.useSearch();
  const navigate = route.useNavigate();
  return useMemo(
    () => ({
      params,
      /** Replaces the history entry; with `push`, Back returns to the current one. */
      update: (change: Partial<RunSearchParams>, { push = false } = {}) =>
        void navigate({
          search: (current) => omitDefaults({ ...current, ...change }),
          replace: !push,
          resetScroll: false,
        }),
    }),
    [params, navigate],
  );
}

export type RunSearch = ReturnType<typeof useRunSearch>;

function omitDefaults(params: RunSearchParams): RunSearchParams {
  return Object.fromEntries(
    Object.entries(params).filter(
      ([, value]) =>
        value !== undefined &&
        value !== false &&
        value !== "" &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );
}
