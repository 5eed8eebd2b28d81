import { use, type ComponentType } from "react";

import { ServerUnreachable } from "@/lib/api/problem";
import { connection } from "@/lib/connection";

/** After this long a failed download is forgotten, and the next look at the page tries again. */
const FORGET_MS = 500;

/**
 * A page whose code comes when it is first needed. The router's own wrapper loads the whole document anew
 * when a file cannot be had: without a connection that would throw away the page one has.
 */
export function lazyPage(load: () => Promise<ComponentType>) {
  let page: ComponentType | undefined;
  let coming: Promise<ComponentType> | undefined;

  const start = (): Promise<ComponentType> => {
    coming ??= load().then(
      (found) => (page = found),
      (cause: unknown) => {
        setTimeout(() => (coming = undefined), FORGET_MS);
        throw withReason(cause);
      },
    );
    return coming;
  };

  function LatePage() {
    const Page = page ?? use(start());
    return <Page />;
  }
  LatePage.preload = () =>
    start().then(
      () => undefined,
      () => undefined,
    );
  return LatePage;
}

/** Browsers say in many words that a file could not be fetched; an error within the file is another thing. */
function withReason(cause: unknown): unknown {
  const unfetched = /dynamically imported|importing a module|preload css/i.test(String(cause));
  if (!unfetched) return cause;
  connection.reportFailure();
  return new ServerUnreachable(cause);
}
