import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ChevronDown, EllipsisVertical } from "lucide-react";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Badge } from "@/components/ui/badge";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { IconButton } from "@/components/ui/icon-button";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { describeError } from "@/lib/api/problem";
import type { Trigger, TriggerSecret } from "@/lib/api/types";
import { toast } from "@/lib/toast";

import { curlExample, SIGNATURES } from "./curl-example";
import { DeliveryLog } from "./delivery-log";
import { MappingForm } from "./mapping-form";
import { deleteTrigger, rotateTrigger, triggerKeys, updateTrigger } from "./trigger-requests";
import { CopyText } from "./trigger-secret-dialog";

interface Props {
  trigger: Trigger;
  onSecret: (created: TriggerSecret) => void;
}

/** A trigger; opened, it has the mapping, the deliveries and an example. */
export function TriggerRow({ trigger, onSecret }: Props) {
  const client = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const [asked, setAsked] = useState<"delete" | "rotate" | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: triggerKeys.all });
  const toggling = useMutation({
    mutationFn: () => updateTrigger(trigger, { isEnabled: !trigger.isEnabled }),
    onError: (error) => toast.error(describeError(error).detail),
    onSettled: refresh,
  });
  return (
    <li className="grid gap-4 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <IconButton
          size="icon-sm"
          label={`Details of ${trigger.name}`}
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
        >
          <ChevronDown aria-hidden />
        </IconButton>
        <p className="min-w-0 flex-1 font-medium break-words">{trigger.name}</p>
        {!trigger.isEnabled && <Badge>Off</Badge>}
        <Badge>{SIGNATURES[trigger.signature]}</Badge>
        <Menu
          trigger={
            <IconButton label={`Actions for ${trigger.name}`}>
              <EllipsisVertical aria-hidden />
            </IconButton>
          }
        >
          <MenuItem onSelect={() => toggling.mutate()}>
            {trigger.isEnabled ? "Switch off" : "Switch on"}
          </MenuItem>
          <MenuItem onSelect={() => setAsked("rotate")}>New address and secret</MenuItem>
          <MenuSeparator />
          <MenuItem danger onSelect={() => setAsked("delete")}>
            Delete
          </MenuItem>
        </Menu>
      </div>
      {isOpen && (
        <div className="grid gap-5">
          <MappingForm trigger={trigger} />
          <DeliveryLog trigger={trigger} />
          <CopyText label="Address" text={location.origin + trigger.path} />
          <CopyText label="Example" text={curlExample(trigger, location.origin)} />
        </div>
      )}
      {asked && (
        <ChangeDialog {...{ trigger, asked, onSecret, onClose: () => setAsked(null), refresh }} />
      )}
    </li>
  );
}

interface ChangeProps extends Props {
  asked: "delete" | "rotate";
  onClose: () => void;
  refresh: () => Promise<void>;
}

function ChangeDialog({ trigger, asked, onSecret, onClose, refresh }: ChangeProps) {
  const changing = useMutation({
    mutationFn: async () => {
      if (asked === "rotate") onSecret(await rotateTrigger(trigger));
      else await deleteTrigger(trigger);
    },
    gcTime: 0,
    onSuccess: async () => {
      onClose();
      await refresh();
      document.getElementById("main")?.focus();
    },
    onError: refresh,
  });
  const isDelete = asked === "delete";
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={isDelete ? `Delete ${trigger.name}?` : `New address and secret for ${trigger.name}?`}
      description={
        isDelete
          ? "Its senders get errors from now on, and its deliveries are deleted. Its runs stay."
          : "The old ones stop working at once. Senders need the new ones."
      }
      action={isDelete ? "Delete trigger" : "Replace them"}
      busy={changing.isPending}
      onConfirm={() => changing.mutate()}
    >
      {changing.error && <ErrorPanel error={changing.error} className="mt-4" />}
    </ConfirmDialog>
  );
}
