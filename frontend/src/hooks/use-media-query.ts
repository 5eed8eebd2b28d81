import { useCallback, useSyncExternalStore } from "react";

/** Whether a media query matches now; false where `matchMedia` is missing. */
export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const list = mediaQueryList(query);
      list?.addEventListener("change", onChange);
      return () => list?.removeEventListener("change", onChange);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => mediaQueryList(query)?.matches ?? false);
}

/** True on phones, where tables are shown as lists of cards. */
export function useIsNarrowScreen(): boolean {
  return useMediaQuery("(width < 40rem)");
}

function mediaQueryList(query: string): MediaQueryList | undefined {
  return typeof window.matchMedia === "function" ? window.matchMedia(query) : undefined;
}
