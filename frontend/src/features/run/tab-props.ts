import type { Run } from "@/lib/api/types";

import type { RunStore } from "./store/run-store";

/** What every tab of the run page is given. */
export interface TabProps {
  run: Run;
  store: RunStore;
}
