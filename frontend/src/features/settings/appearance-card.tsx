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

/** Preferences of this browser. */
export function AppearanceCard() {
  const [theme, setTheme] = usePreference("theme");
  const [shortcuts, setShortcuts] = usePreference("shortcuts");
  const [followLive, setFollowLive] = usePreference("followLive");
  return (
    <Card title="Appearance and behaviour">
      <div className="divide-y">
        <SettingRow name="Theme" hint="System uses the theme of your device.">
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
              For example, <Kbd>g</Kbd> <Kbd>r</Kbd> opens the runs and <Kbd>?</Kbd> lists all
              shortcuts. Ctrl K always works.
            </>
          }
          on={shortcuts}
          onChange={setShortcuts}
        />
        <SwitchSetting
          name="Follow live runs"
          hint="The run page always shows the current step."
          on={followLive}
          onChange={setFollowLive}
        />
      </div>
    </Card>
  );
}
