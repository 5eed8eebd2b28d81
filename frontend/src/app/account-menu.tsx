import { CircleUserRound } from "lucide-react";

import { Flyout } from "@/components/flyout";
import { lazyComponent } from "@/components/lazy-component";

const AccountPanel = lazyComponent(async () => (await import("./account-panel")).AccountPanel);

/** Account menu in the top bar. */
export function AccountMenu({ onShowShortcuts }: { onShowShortcuts: () => void }) {
  return (
    <Flyout label="Account" icon={<CircleUserRound aria-hidden />} className="w-60">
      {(close) => (
        <AccountPanel
          onFollow={close}
          onShowShortcuts={() => {
            close();
            onShowShortcuts();
          }}
        />
      )}
    </Flyout>
  );
}
