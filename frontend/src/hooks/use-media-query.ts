import { useCallback, useSyncExternalStore } from "react";

/** Whether a media query holds, kept true; false where there is no screen. */
export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (tell: () => void) => {
      const list = listOf(query);
      list?.addEventListener("change", tell);
      return () => list?.removeEventListener("change", tell);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => listOf(query)?.matches ?? false);
}

/** True on a phone: below the width at which tables become lists of cards. */
export function useIsNarrowScreen(): boolean {
  return useMediaQuery("(width < 40rem)");
}

function listOf(query: string): MediaQueryList | undefined {
  return typeof window.matchMedia === "function" ? window.matchMedia(query) : undefined;
}
