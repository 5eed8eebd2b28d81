import { Page } from "@/components/page";

import { AboutCard } from "./about-card";
import { AppearanceCard } from "./appearance-card";
import { DangerCard } from "./danger-card";
import { HealthCard } from "./health-card";
import { QuotasCard } from "./quotas-card";
import { SessionCard } from "./session-card";
import { TeamCard } from "./team-card";

export function SettingsPage() {
  return (
    <Page title="Settings" className="max-w-4xl">
      <AppearanceCard />
      <SessionCard />
      <TeamCard />
      <QuotasCard />
      <HealthCard />
      <AboutCard />
      <DangerCard />
    </Page>
  );
}
