import { createElement, useEffect, useReducer, type ComponentType } from "react";

import { connection, useConnectionState } from "@/lib/connection";

/**
 * A component whose code is loaded on first render. Unlike `React.lazy`, a failed download renders nothing
 * and is retried when the connection is back.
 */
export function lazyComponent<P extends object>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;

  return function LazyComponent(props: P) {
    const [, rerender] = useReducer((count: number) => count + 1, 0);
    const state = useConnectionState();
    useEffect(() => {
      if (loaded || state !== "online") return;
      let isUnmounted = false;
      const start = async () => {
        try {
          loaded = await load();
          if (!isUnmounted) rerender();
        } catch {
          connection.reportFailure();
        }
      };
      void start();
      return () => {
        isUnmounted = true;
      };
    }, [state]);
    return loaded ? createElement(loaded, props) : null;
  };
}
