import { createElement, useEffect, useReducer, type ComponentType } from "react";

import { connection, useConnectionState } from "@/lib/connection";

/**
 * A part whose code comes when it is first drawn. What cannot be fetched is simply not there yet: it comes
 * with the connection, and takes nothing else with it.
 */
export function lazyComponent<P extends object>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  let part: ComponentType<P> | undefined;

  return function Late(props: P) {
    const [, redraw] = useReducer((count: number) => count + 1, 0);
    const state = useConnectionState();
    useEffect(() => {
      if (part || state !== "online") return;
      let gone = false;
      const arrived = (found: ComponentType<P>) => {
        part = found;
        if (!gone) redraw();
      };
      load().then(
        (found) => arrived(found),
        () => connection.reportFailure(),
      );
      return () => {
        gone = true;
      };
    }, [state]);
    return part ? createElement(part, props) : null;
  };
}
