import { THEME_CHOICES } from "@/components/theme-choices";
import { Card } from "@/components/ui/card";
import { Kbd } from "@/components/ui/kbd";
import { SegmentedControl } from "@/components/ui/segmented-control";
import { usePreference } from "@/lib/preferences";

import { SettingRow } from "./setting-row";
import { SwitchSetting } from "./switch-setting";

const THEME_OPTIONS = THEME_CHOICES.map(({ value, label, Icon }) => ({
  value,
  label: (
    <>
      <Icon aria-hidden />
      {label}
    </>
  ),
}));

/** How the product looks and behaves in this browser. */
export function AppearanceCard() {
  const [theme, setTheme] = usePreference("theme");
  const [shortcuts, setShortcuts] = usePreference("shortcuts");
  const [followLive, setFollowLive] = usePreference("followLive");
  return (
    <Card title="Appearance and behaviour">
      <div className="divide-y">
        <SettingRow name="Theme" hint="System follows your device as it changes.">
          <SegmentedControl
            label="Theme"
            options={THEME_OPTIONS}
            value={theme}
            onChange={setTheme}
          />
        </SettingRow>
        <SwitchSetting
          name="Single-key shortcuts"
          hint={
            <>
              Such as <Kbd>g</Kbd> <Kbd>r</Kbd> for the runs; <Kbd>?</Kbd> lists them all. Ctrl K
              always works.
            </>
          }
          on={shortcuts}
          onChange={setShortcuts}
        />
        <SwitchSetting
          name="Follow live runs"
          hint="The run page moves along with the step that is at work."
          on={followLive}
          onChange={setFollowLive}
        />
      </div>
    </Card>
  );
}
