/** The frame of all pages that need a session. */
import { createRoute, redirect } from "@tanstack/react-router";

import { session } from "@/lib/api/session";

import { root } from "./open-routes";
import { Shell } from "./shell";

export const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  beforeLoad: ({ location }) => {
    if (session.state === "signed-out") {
      throw redirect({ to: "/sign-in", search: { next: location.href } });
    }
  },
});
