import { useCallback, useEffect, useRef, useState } from "react";

import type { RunView } from "../store/use-run-search";

const SETTLE_MS = 150;

/**
 * The step that is picked. It is shown at once; the address follows when the picking pauses, since a key
 * that is held down picks thirty steps a second.
 */
export function usePicked(view: RunView) {
  const inAddress = view.search.span ?? null;
  const [ahead, setAhead] = useState<{ id: string | null; from: string | null } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(view);
  useEffect(() => {
    latest.current = view;
  }, [view]);
  useEffect(() => () => clearTimeout(timer.current), []);

  // The address wins as soon as it has moved, be it by us or by Back.
  const picked = ahead && ahead.from === inAddress ? ahead.id : inAddress;

  const pick = useCallback(
    (id: string | null) => {
      setAhead({ id, from: inAddress });
      clearTimeout(timer.current);
      timer.current = setTimeout(() => latest.current.show({ span: id ?? undefined }), SETTLE_MS);
    },
    [inAddress],
  );
  return { picked, pick };
}
