import { Bell as BellIcon } from "lucide-react";

import { Flyout } from "@/components/flyout";
import { lazyComponent } from "@/components/lazy-component";

import { useAttention } from "./use-attention";

const AttentionPanel = lazyComponent(
  async () => (await import("./attention-panel")).AttentionPanel,
);

/** How many things wait for a person, wherever one is. */
export function Bell() {
  const { needs, error } = useAttention();
  return (
    <>
      <Flyout
        label={needs.length > 0 ? `Needs you: ${needs.length}` : "Needs you: nothing"}
        className="w-88"
        icon={
          <span className="relative">
            <BellIcon aria-hidden />
            {needs.length > 0 && <Count number={needs.length} />}
          </span>
        }
      >
        {(close) => <AttentionPanel needs={needs} error={error} onFollow={close} />}
      </Flyout>
      <span role="status" className="sr-only">
        {needs.length > 0 &&
          (needs.length === 1 ? "1 thing needs you" : `${needs.length} things need you`)}
      </span>
    </>
  );
}

function Count({ number }: { number: number }) {
  return (
    <span
      aria-hidden
      className="absolute -top-2 left-2 grid h-4 min-w-4 place-items-center rounded-full bg-err px-1 text-[10px] leading-none font-semibold text-surface"
    >
      {number > 99 ? "99+" : number}
    </span>
  );
}
