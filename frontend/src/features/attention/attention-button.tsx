import { Bell as BellIcon } from "lucide-react";

import { Flyout } from "@/components/flyout";
import { lazyComponent } from "@/components/lazy-component";

import { useAttentionItems } from "./use-attention-items";

const AttentionPanel = lazyComponent(
  async () => (await import("./attention-panel")).AttentionPanel,
);

/** Top-bar button with the number of runs that wait for a person. */
export function AttentionButton() {
  const { items, error } = useAttentionItems();
  return (
    <>
      <Flyout
        label={`Needs attention: ${items.length || "none"}`}
        className="w-88"
        icon={
          <span className="relative">
            <BellIcon aria-hidden />
            {items.length > 0 && <CountBadge number={items.length} />}
          </span>
        }
      >
        {(close) => <AttentionPanel items={items} error={error} onFollow={close} />}
      </Flyout>
      <span role="status" className="sr-only">
        {items.length > 0 &&
          (items.length === 1 ? "1 item needs attention" : `${items.length} items need attention`)}
      </span>
    </>
  );
}

function CountBadge({ number }: { number: number }) {
  return (
    <span
      aria-hidden
      className="absolute -top-2 left-2 grid h-4 min-w-4 place-items-center rounded-full bg-err px-1 text-[10px] leading-none font-semibold text-surface"
    >
      {number > 99 ? "99+" : number}
    </span>
  );
}
