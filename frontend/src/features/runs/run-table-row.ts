import { rowSelectionFeature, tableFeatures, type Row } from "@tanstack/react-table";

import type { RunSummary } from "@/lib/api/types";

export const runTableFeatures = tableFeatures({ rowSelectionFeature });

/** A row of the runs table, as rendered by the table and by the cards on phones. */
export type RunTableRow = Row<typeof runTableFeatures, RunSummary>;
