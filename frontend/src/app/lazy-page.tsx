import { use, type ComponentType } from "react";

import { ServerUnreachable } from "@/lib/api/problem";
import { connection } from "@/lib/connection";

/** After this time a failed download can be retried. */
const RETRY_AFTER_MS = 500;

/**
 * A page whose code is loaded on first use. The router's `lazyRouteComponent` reloads the document when a
 * download fails; offline, that would lose the current page.
 */
export function lazyPage(load: () => Promise<ComponentType>) {
  let page: ComponentType | undefined;
  let loading: Promise<ComponentType> | undefined;

  const start = (): Promise<ComponentType> => {
    loading ??= load().then(
      (component) => (page = component),
      (cause: unknown) => {
        setTimeout(() => (loading = undefined), RETRY_AFTER_MS);
        throw toLoadError(cause);
      },
    );
    return loading;
  };

  function LazyPage() {
    const Page = page ?? use(start());
    return <Page />;
  }
  LazyPage.preload = () =>
    start().then(
      () => undefined,
      () => undefined,
    );
  return LazyPage;
}

/** Tells a failed download from an error inside the module; each browser has its own message for the first. */
function toLoadError(cause: unknown): unknown {
  const isDownloadError = /dynamically imported|importing a module|preload css/i.test(
    String(cause),
  );
  if (!isDownloadError) return cause;
  connection.reportFailure();
  return new ServerUnreachable(cause);
}
