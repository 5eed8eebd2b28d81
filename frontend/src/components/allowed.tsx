import type { ReactNode } from "react";

import type { Scope } from "@/lib/api/types";
import { useCan } from "@/lib/rights";

interface Props {
  scope: Scope;
  /** Shown to everyone else. */
  otherwise?: ReactNode;
  children: ReactNode;
}

/** Shows an action to those who may do it. */
export function Allowed({ scope, otherwise = null, children }: Props) {
  return useCan(scope) ? children : otherwise;
}
