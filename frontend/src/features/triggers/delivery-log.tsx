import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { describeError } from "@/lib/api/problem";
import type { Trigger, TriggerDelivery } from "@/lib/api/types";
import { toast } from "@/lib/toast";

import { deliveriesQuery, deliveryQuery, replayDelivery, triggerKeys } from "./trigger-requests";

/** What a trigger received, newest first. */
export function DeliveryLog({ trigger }: { trigger: Trigger }) {
  const list = useInfiniteQuery(deliveriesQuery(trigger.id));
  if (list.isError) return <ErrorPanel error={list.error} onRetry={() => list.refetch()} />;
  const deliveries = list.data?.pages.flatMap((page) => page.deliveries) ?? [];
  if (list.isSuccess && !deliveries.length) {
    return <p className="text-ink-soft">Nothing received yet.</p>;
  }
  return (
    <>
      <ul aria-label="Deliveries" className="divide-y divide-line">
        {deliveries.map((one) => (
          <DeliveryRow key={one.id} triggerId={trigger.id} delivery={one} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button size="sm" busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}

function DeliveryRow({ triggerId, delivery }: { triggerId: string; delivery: TriggerDelivery }) {
  const client = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const replay = useMutation({
    mutationFn: () => replayDelivery(triggerId, delivery.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: triggerKeys.all });
      toast.success("A run was started again.");
    },
    onError: (error) => toast.error(describeError(error).detail),
  });
  return (
    <li className="grid gap-2 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <TimeAgo at={delivery.receivedAt} />
        {delivery.replayOf && <Badge>Replay</Badge>}
        {delivery.runId ? (
          <Link to="/runs/$runId" params={{ runId: delivery.runId }} className="hover:underline">
            Run started
          </Link>
        ) : (
          <Badge tone="err">No run</Badge>
        )}
        {delivery.hasBody && (
          <span className="ml-auto flex gap-2">
            <Button size="sm" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
              Body
            </Button>
            <Button size="sm" busy={replay.isPending} onClick={() => replay.mutate()}>
              Replay
            </Button>
          </span>
        )}
      </div>
      {delivery.error && <p className="break-words text-err">{delivery.error}</p>}
      {isOpen && <DeliveryBody triggerId={triggerId} id={delivery.id} />}
    </li>
  );
}

function DeliveryBody({ triggerId, id }: { triggerId: string; id: string }) {
  const delivery = useQuery(deliveryQuery(triggerId, id));
  if (delivery.isError) return <ErrorPanel error={delivery.error} />;
  if (!delivery.data) return null;
  return (
    <pre className="max-h-80 overflow-auto rounded-md border bg-sunken p-3 font-mono text-xs">
      {JSON.stringify(delivery.data.body, null, 2)}
    </pre>
  );
}
