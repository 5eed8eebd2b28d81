import { getRouteApi } from "@tanstack/react-router";

import { DashboardView } from "./dashboard-view";

const route = getRouteApi("/shell/");

export function DashboardPage() {
  const { period = "24h" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <DashboardView
      period={period}
      onPeriod={(next) => void navigate({ search: { period: next }, resetScroll: false })}
    />
  );
}
