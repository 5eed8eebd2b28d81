import type { Run } from "@/lib/api/types";

import type { RunStore } from "./store/run-store";

/**
 * A run as returned by the API, and its live state: the props shared by the components of the run
 * page.
 */
export interface RunProps {
  run: Run;
  store: RunStore;
}
