import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import type { QuotaLimits, WorkspaceQuotas } from "@/lib/api/types";
import { formatCost } from "@/lib/format";
import { toast } from "@/lib/toast";

import { NETWORK_LIMITS } from "./quota-list";

const FORM_ID = "quotas-form";

interface Values {
  runsAtOnce: string;
  runsPerDay: string;
  amount: string;
  currency: string;
  storedMb: string;
  keptDays: string;
  network: keyof typeof NETWORK_LIMITS;
}

interface Props {
  quotas: WorkspaceQuotas;
  /** Who sets the limits: an owner their own, or the administrator those above them. */
  setBy: "owner" | "administrator";
  workspaceId: string;
  onSaved: (quotas: WorkspaceQuotas) => void;
  onClose: () => void;
}

const wholeNumber = { min: 1, step: 1, type: "number", inputMode: "numeric" } as const;

/** Changes the limits of the workspace. An empty field sets none. */
export function QuotasDialog({ quotas, setBy, workspaceId, onSaved, onClose }: Props) {
  const isOwner = setBy === "owner";
  const limits = isOwner ? quotas.ownLimits : quotas.administratorLimits;
  const { register, handleSubmit } = useForm<Values>({ defaultValues: toValues(limits, quotas) });
  const save = useMutation({
    mutationFn: async (values: Values) => {
      const options = { body: toLimits(values) };
      if (isOwner) return body(await api.PUT("/api/v1/workspace/quotas", options));
      const params = { path: { workspace_id: workspaceId } };
      return body(
        await api.PUT("/api/v1/workspaces/{workspace_id}/quotas", { ...options, params }),
      );
    },
    onSuccess: (saved) => {
      onSaved(saved);
      toast.success("Limits saved");
      onClose();
    },
  });
  const upper = isOwner ? quotas.upperLimits : {};
  return (
    <Dialog
      open
      onOpenChange={(next) => !next && onClose()}
      title={isOwner ? "Limits of this workspace" : "Upper limits of this workspace"}
      description={
        isOwner
          ? "An empty field sets no limit of your own."
          : "Owners may set lower limits, not higher ones. An empty field sets no limit."
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={FORM_ID} variant="primary" busy={save.isPending}>
            Save limits
          </Button>
        </>
      }
    >
      <form
        id={FORM_ID}
        className="grid gap-4 sm:grid-cols-2"
        onSubmit={handleSubmit((values) => save.mutateAsync(values).catch(() => undefined))}
      >
        {save.isError && <ErrorPanel error={save.error} className="sm:col-span-2" />}
        <Field label="Runs at once" hint={atMost(upper.runsAtOnce)}>
          <Input {...wholeNumber} {...register("runsAtOnce")} />
        </Field>
        <Field label="Runs per day" hint={atMost(upper.runsPerDay)}>
          <Input {...wholeNumber} {...register("runsPerDay")} />
        </Field>
        <Field
          label="Spending per month"
          hint={atMost(upper.spendPerMonth && formatCost(upper.spendPerMonth))}
        >
          <Input type="number" min={0.01} step="any" {...register("amount")} />
        </Field>
        <Field label="Currency" hint="That of the models’ prices.">
          <Input pattern="[A-Z]{3}" maxLength={3} {...register("currency")} />
        </Field>
        <Field label="Storage (MB)" hint={atMost(upper.storedMb)}>
          <Input type="number" min={0.1} step="any" {...register("storedMb")} />
        </Field>
        <Field
          label="Days finished runs are kept"
          hint={atMost(upper.keptDays) ?? "Older runs are deleted within the hour."}
        >
          <Input {...wholeNumber} {...register("keptDays")} />
        </Field>
        <Field
          label="Network access of tools"
          hint={upper.network && `At most ${NETWORK_LIMITS[upper.network]}.`}
          className="sm:col-span-2"
        >
          <Select {...register("network")}>
            {Object.entries(NETWORK_LIMITS).map(([value, label]) => (
              <option key={value} value={value}>
                {label[0]?.toUpperCase() + label.slice(1)}
              </option>
            ))}
          </Select>
        </Field>
      </form>
    </Dialog>
  );
}

function atMost(limit: number | string | null | undefined): string | undefined {
  return limit == null ? undefined : `At most ${limit.toLocaleString("en")}.`;
}

function toText(value: number | string | null | undefined): string {
  return value == null ? "" : String(value);
}

function toNumber(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}

function toValues(
  limits: WorkspaceQuotas["limits"],
  { limits: effective }: WorkspaceQuotas,
): Values {
  return {
    runsAtOnce: toText(limits.runsAtOnce),
    runsPerDay: toText(limits.runsPerDay),
    amount: toText(limits.spendPerMonth?.amount),
    currency: limits.spendPerMonth?.currency ?? effective.spendPerMonth?.currency ?? "USD",
    storedMb: toText(limits.storedMb),
    keptDays: toText(limits.keptDays),
    network: limits.network ?? "any",
  };
}

function toLimits(values: Values): QuotaLimits {
  const amount = values.amount.trim();
  return {
    runsAtOnce: toNumber(values.runsAtOnce),
    runsPerDay: toNumber(values.runsPerDay),
    spendPerMonth: amount === "" ? null : { amount, currency: values.currency.trim() || "USD" },
    storedMb: toNumber(values.storedMb),
    keptDays: toNumber(values.keptDays),
    network: values.network === "any" ? null : values.network,
  };
}
