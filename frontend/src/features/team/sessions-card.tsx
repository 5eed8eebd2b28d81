import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { BrowserSession } from "@/lib/api/types";
import { sessionsQuery, teamKeys } from "@/lib/queries/team";
import { toast } from "@/lib/toast";

import { describeBrowser } from "./describe-browser";

/** The browsers that are signed in, to sign each of them out. */
export function SessionsCard() {
  const sessions = useQuery(sessionsQuery());
  return (
    <Card title="Signed in here">
      {sessions.isPending && <SkeletonRows rows={1} />}
      {sessions.isError && (
        <ErrorPanel error={sessions.error} className="m-4" onRetry={() => sessions.refetch()} />
      )}
      <ul aria-label="Browsers" className="divide-y divide-line">
        {sessions.data?.map((one) => (
          <SessionRow key={one.id} session={one} />
        ))}
      </ul>
    </Card>
  );
}

function SessionRow({ session }: { session: BrowserSession }) {
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: async () => {
      const params = { path: { session_id: session.id } };
      await api.DELETE("/api/v1/me/sessions/{session_id}", { params });
    },
    onSuccess: () => toast.success("That browser is signed out"),
    onError: (error) => toast.error(describeError(error).title),
    onSettled: () => queryClient.invalidateQueries({ queryKey: teamKeys.sessions }),
  });
  const name = describeBrowser(session.userAgent);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-48">
        <p className="font-medium">{name}</p>
        <p className="text-ink-faint">
          {session.address || "unknown address"} · signed in <TimeAgo at={session.createdAt} />
        </p>
      </div>
      {session.isCurrent ? (
        <Badge tone="ok">This browser</Badge>
      ) : (
        <Button size="sm" busy={end.isPending} onClick={() => end.mutate()}>
          Sign out<span className="sr-only"> {name}</span>
        </Button>
      )}
    </li>
  );
}
