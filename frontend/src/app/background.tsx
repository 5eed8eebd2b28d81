import { ToastHost } from "@/components/toast-host";

import { useNewVersionToast } from "./use-new-version-toast";

/** Toasts and the check for a new version. */
export function Background() {
  useNewVersionToast();
  return <ToastHost />;
}
