import { CONNECTABLE_TYPES, PROVIDER_KINDS, type ConnectableType } from "./provider-types";
import { ProviderIcon } from "./provider-icon";

/** Selects a provider type. */
export function ProviderTypePicker({ onPick }: { onPick: (type: ConnectableType) => void }) {
  return (
    <ul className="grid gap-2 sm:grid-cols-2">
      {CONNECTABLE_TYPES.map((type) => (
        <li key={type}>
          <button
            type="button"
            onClick={() => onPick(type)}
            className="flex w-full items-center gap-3 rounded-md border bg-surface p-2.5 text-left transition-colors hover:border-line-strong hover:bg-hover"
          >
            <ProviderIcon type={type} />
            <span className="min-w-0">
              <span className="block font-medium">{PROVIDER_KINDS[type].title}</span>
              <span className="block truncate text-xs text-ink-faint">
                {PROVIDER_KINDS[type].summary}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
