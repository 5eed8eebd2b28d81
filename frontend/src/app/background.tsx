import { ToastHost } from "@/components/toast-host";

import { useNewVersion } from "./use-new-version";

/** The toasts, and the watch for a new version of the product. */
export function Background() {
  useNewVersion();
  return <ToastHost />;
}
