import { Pencil, Star, Trash2 } from "lucide-react";
import type { ReactNode } from "react";

import { Badge } from "@/components/ui/badge";
import { IconButton } from "@/components/ui/icon-button";
import type { Model } from "@/lib/api/types";
import { formatCount } from "@/lib/format";
import { useCan } from "@/lib/rights";

import { capabilityLabels, modelTypeLabel, formatPrices } from "./model-labels";

export interface ModelActions {
  onEdit: (model: Model) => void;
  onDelete: (model: Model) => void;
  onMakeDefault: (model: Model) => void;
  /** The model that is being made the default. */
  busyId: string | null;
}

/** A provider's models as a table. */
export function ModelTable({ models, label, actions }: ListProps) {
  return (
    <table className="w-full table-fixed border-t text-left">
      <caption className="sr-only">{label}</caption>
      <thead className="text-xs text-ink-faint">
        <tr>
          <Head className="w-auto pl-4">Model</Head>
          <Head className="w-24">Kind</Head>
          <Head className="w-48">Capabilities</Head>
          <Head className="w-20 text-right">Context</Head>
          <Head className="w-44 text-right">Price per million</Head>
          <Head className="w-32">
            <span className="sr-only">Actions</span>
          </Head>
        </tr>
      </thead>
      <tbody>
        {models.map((model) => (
          <tr key={model.id} className="border-t hover:bg-hover/50">
            <th scope="row" className="py-1.5 pr-2 pl-4 font-normal">
              <ModelName model={model} />
            </th>
            <td className="px-2">{modelTypeLabel(model.type)}</td>
            <td className="px-2">
              <CapabilityBadges model={model} />
            </td>
            <td className="px-2 text-right">{formatCount(model.capabilities.contextWindow)}</td>
            <td className="px-2 text-right whitespace-nowrap">{formatPrices(model.pricing)}</td>
            <td className="py-1 pr-3 pl-2">
              <RowActions model={model} actions={actions} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ListProps {
  models: Model[];
  label: string;
  actions: ModelActions;
}

/** A provider's models as cards, for phones. */
export function ModelCards({ models, label, actions }: ListProps) {
  return (
    <ul aria-label={label} className="border-t">
      {models.map((model) => (
        <li key={model.id} className="grid gap-2 border-b px-4 py-3 last:border-b-0">
          <div className="flex items-start justify-between gap-2">
            <ModelName model={model} />
            <RowActions model={model} actions={actions} />
          </div>
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-ink-soft">
            <span>{modelTypeLabel(model.type)}</span>
            {model.capabilities.contextWindow != null && (
              <span>{formatCount(model.capabilities.contextWindow)} tokens</span>
            )}
            <span>{model.pricing ? formatPrices(model.pricing) : "Price unknown"}</span>
            {capabilityLabels(model).length > 0 && <CapabilityBadges model={model} />}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Head({ className, children }: { className: string; children: ReactNode }) {
  return (
    <th scope="col" className={`px-2 py-1.5 font-medium ${className}`}>
      {children}
    </th>
  );
}

function ModelName({ model }: { model: Model }) {
  return (
    <div className="min-w-0">
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="font-medium break-words">{model.name}</span>
        {model.default && (
          <Badge tone="accent">
            <Star aria-hidden className="fill-current" />
            {model.type === "llm" ? "Default LLM" : "Default embedder"}
          </Badge>
        )}
      </p>
      {model.providerModel !== model.name && (
        <p className="font-mono text-xs break-all text-ink-faint">{model.providerModel}</p>
      )}
      {model.endpoint && (
        <p className="text-xs break-all text-ink-faint">
          Endpoint <span className="font-mono">{model.endpoint}</span>, not used for calls
        </p>
      )}
      {model.description && <p className="text-xs text-ink-faint">{model.description}</p>}
    </div>
  );
}

function CapabilityBadges({ model }: { model: Model }) {
  const words = capabilityLabels(model);
  if (words.length === 0) return "–";
  return (
    <span className="inline-flex flex-wrap gap-1">
      {words.map((word) => (
        <Badge key={word}>{word}</Badge>
      ))}
    </span>
  );
}

function RowActions({ model, actions }: { model: Model; actions: ModelActions }) {
  if (!useCan("models:write")) return null;
  return (
    <div className="flex shrink-0 justify-end gap-0.5 max-sm:-mt-1.5 max-sm:-mr-2">
      {!model.default && (
        <IconButton
          size="icon-sm"
          label={`Make ${model.name} the default`}
          busy={actions.busyId === model.id}
          onClick={() => actions.onMakeDefault(model)}
        >
          <Star aria-hidden />
        </IconButton>
      )}
      <IconButton size="icon-sm" label={`Edit ${model.name}`} onClick={() => actions.onEdit(model)}>
        <Pencil aria-hidden />
      </IconButton>
      <IconButton
        size="icon-sm"
        label={`Delete ${model.name}`}
        onClick={() => actions.onDelete(model)}
      >
        <Trash2 aria-hidden />
      </IconButton>
    </div>
  );
}
