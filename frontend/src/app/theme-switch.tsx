import { Moon, Sun } from "lucide-react";

import { Flyout } from "@/components/flyout";
import { lazyComponent } from "@/components/lazy-component";
import { useTheme } from "@/lib/theme";

const ThemePanel = lazyComponent(async () => (await import("./theme-panel")).ThemePanel);

/** Theme menu in the top bar. */
export function ThemeSwitch() {
  const Icon = useTheme() === "dark" ? Moon : Sun;
  return (
    <Flyout label="Theme" icon={<Icon aria-hidden />} className="p-1">
      {(close) => <ThemePanel onChosen={close} />}
    </Flyout>
  );
}
