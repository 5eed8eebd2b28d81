import { useCallback, useEffect, useRef, useState } from "react";

import type { RunSearch } from "../store/use-run-search";

const URL_DELAY_MS = 150;

/**
 * The id of the selected span and its setter. The URL is updated with a delay, because holding an arrow key
 * selects dozens of spans per second.
 */
export function useSelectedSpan(search: RunSearch) {
  const urlSpan = search.params.span ?? null;
  const [pending, setPending] = useState<{ id: string | null; from: string | null } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latestSearch = useRef(search);
  useEffect(() => {
    latestSearch.current = search;
  }, [search]);
  useEffect(() => () => clearTimeout(timer.current), []);

  // Once the URL changes, by this hook or by Back, it takes precedence.
  const selected = pending && pending.from === urlSpan ? pending.id : urlSpan;

  const select = useCallback(
    (id: string | null) => {
      setPending({ id, from: urlSpan });
      clearTimeout(timer.current);
      timer.current = setTimeout(
        () => latestSearch.current.update({ span: id ?? undefined }),
        URL_DELAY_MS,
      );
    },
    [urlSpan],
  );
  return { selected, select };
}
