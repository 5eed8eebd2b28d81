import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { session } from "@/lib/api/session";
import { meQuery, teamKeys } from "@/lib/queries/team";
import { learnRights, useKnowsRights, useRefusals } from "@/lib/rights";

/**
 * Keeps what the caller may do up to date: after a sign-in, when a role changes, and after a refusal. Returns
 * whether it is known, or cannot be found out.
 */
export function useOwnRights(): boolean {
  const client = useQueryClient();
  const { data: me, isError } = useQuery(meQuery());
  const isKnown = useKnowsRights();
  const refusals = useRefusals();
  useEffect(() => {
    if (me) learnRights(me.scopes, me.isShared);
  }, [me]);
  useEffect(() => {
    if (refusals > 0) void client.invalidateQueries({ queryKey: teamKeys.me });
  }, [client, refusals]);
  useEffect(() => {
    let token = session.csrfToken;
    return session.subscribe(() => {
      if (session.csrfToken === token) return;
      token = session.csrfToken;
      if (token !== null) void client.resetQueries({ queryKey: teamKeys.me });
    });
  }, [client]);
  return isKnown || isError;
}
